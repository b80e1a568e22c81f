import type {
  CiphersuiteImpl,
  GroupContext,
  KeyPackage,
  ProposalOrRef,
  PublicMessage,
  RatchetTree,
} from 'ts-mls';
import { checkCanSendHandshakeMessages } from 'ts-mls/clientState.js';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { findSignaturePublicKey } from 'ts-mls/publicMessage.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { admit, type Proposed } from './admission.js';
import { concat, contentOf, opaque, readCommit, signContent, toBytes } from './commit-bytes.js';
import { hashTree } from './hashed-tree.js';
import { withSecrets, type MemberState } from './member-state.js';
import { welcomeTo } from './welcome.js';

// Commits that add members and do nothing else: all that happens while a channel grows, and they have no
// update path. The key schedule is the library's; what differs from its own `createCommit` and
// `processPublicMessage` is that nothing is encoded to be signed or hashed that stands in the bytes already,
// that trees are compared and hashed where they changed, and secret trees derived where somebody speaks
// (bench case `invite`, MLS on). Those are the oracles in the tests.

/** What both kinds of members need. */
export interface Toolbox {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly suite: CiphersuiteImpl;
}

/** A commit that adds members, and the welcome for them. */
export interface Addition {
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array;
  readonly next: MemberState;
}

/** Adds the owners of key packages. @throws SlimError `mls-failure`, `identity-rejected` */
export async function commitAdditions(
  toolbox: Toolbox,
  before: MemberState,
  keyPackages: readonly KeyPackage[],
): Promise<Addition> {
  const { crypto, clock, suite } = toolbox;
  const { state } = before;
  const { groupContext, keySchedule, privatePath } = state;
  checkCanSendHandshakeMessages(state);
  const added = keyPackages.map((keyPackage) => ({ keyPackage, bytes: toBytes(keyPackage) }));
  const tree = await admit(suite, state, added, clock.now());
  const { groupId, epoch } = groupContext;
  const place = { groupId, epoch, leaf: privatePath.leafIndex };
  const packages = added.map(({ bytes }) => bytes);
  const content = contentOf(place, packages);
  const context = encodeGroupContext(groupContext);
  const toSign = signContent('FramedContentTBS', content, context);
  const signature = opaque(await suite.signature.sign(state.signaturePrivateKey, toSign));
  const transcript = concat(content.subarray(versionBytes), signature);
  const step = await nextEpoch(toolbox, before, tree, transcript);
  const { confirmationKey } = step.secrets.keySchedule;
  const { confirmedTranscriptHash } = step.groupContext;
  const confirmationTag = crypto.hmacSha256(confirmationKey, confirmedTranscriptHash);
  const auth = concat(signature, opaque(confirmationTag));
  const membershipTag = crypto.hmacSha256(
    keySchedule.membershipKey,
    concat(content, context, auth),
  );
  const after = { ...state, ratchetTree: tree, groupContext: step.groupContext, confirmationTag };
  const welcome = await welcomeTo(keyPackages, suite, { state: after, secrets: step.secrets });
  step.secrets.joinerSecret.fill(0);
  return {
    commit: concat(content, auth, opaque(membershipTag)),
    welcome,
    next: withSecrets(crypto, after, step.secrets, step.hashed),
  };
}

/**
 * The state after a commit, given decoded and as it came, or undefined for one that does more than to add
 * members. @throws SlimError `mls-failure`, `identity-rejected`
 */
export async function applyAdditions(
  toolbox: Toolbox,
  before: MemberState,
  message: PublicMessage,
  bytes: Uint8Array,
): Promise<MemberState | undefined> {
  const { crypto, suite } = toolbox;
  const { state } = before;
  const { groupContext, keySchedule } = state;
  const { content, auth } = message;
  const proposed = additionsOf(message);
  if (!proposed || content.epoch !== groupContext.epoch) return undefined;
  if (auth.contentType !== 'commit' || message.senderType !== 'member') return undefined;
  // There are none in SLIM; they would have a say in who may be added.
  if (groupContext.extensions.length > 0) return undefined;
  const raw = readCommit(bytes);
  const context = encodeGroupContext(groupContext);
  const authentic = concat(raw.content, context, raw.auth);
  const membershipTag = crypto.hmacSha256(keySchedule.membershipKey, authentic);
  if (!crypto.equal(membershipTag, message.membershipTag)) {
    throw new SlimError('mls-failure', 'the membership tag of a commit is wrong');
  }
  const sender = findSignaturePublicKey(state.ratchetTree, groupContext, content);
  const signed = signContent('FramedContentTBS', raw.content, context);
  if (!(await suite.signature.verify(sender, signed, auth.signature))) {
    throw new SlimError('mls-failure', 'the signature of a commit is wrong');
  }
  const added = proposed.flatMap((keyPackage, at): Proposed[] => {
    const packageBytes = raw.packages[at];
    return packageBytes ? [{ keyPackage, bytes: packageBytes }] : [];
  });
  const tree = await admit(suite, state, added);
  const step = await nextEpoch(toolbox, before, tree, raw.transcript);
  const { confirmedTranscriptHash } = step.groupContext;
  const { confirmationTag } = auth;
  const { confirmationKey } = step.secrets.keySchedule;
  step.secrets.joinerSecret.fill(0);
  const expected = crypto.hmacSha256(confirmationKey, confirmedTranscriptHash);
  if (!crypto.equal(expected, confirmationTag)) {
    throw new SlimError('mls-failure', 'the confirmation of a commit is wrong');
  }
  const after = { ...state, ratchetTree: tree, groupContext: step.groupContext, confirmationTag };
  return withSecrets(crypto, after, step.secrets, step.hashed);
}

async function nextEpoch(
  { crypto, suite }: Toolbox,
  { state, hashed: hashedBefore }: MemberState,
  tree: RatchetTree,
  transcript: Uint8Array,
) {
  const hashed = hashTree(crypto, tree, hashedBefore);
  const { groupContext: last, confirmationTag } = state;
  // RFC 9420 section 8.2: what was confirmed so far, the tag of it, and now this commit.
  const interim = crypto.sha256(concat(last.confirmedTranscriptHash, opaque(confirmationTag)));
  const groupContext: GroupContext = {
    ...last,
    epoch: last.epoch + 1n,
    treeHash: hashed.root,
    confirmedTranscriptHash: crypto.sha256(concat(interim, transcript)),
  };
  const { initSecret } = state.keySchedule;
  // Without an update path and without PSKs there are zeros in their place (RFC 9420 section 8).
  const none = new Uint8Array(suite.kdf.size);
  const secrets = await initializeEpoch(initSecret, none, groupContext, none, suite.kdf);
  return { hashed, groupContext, secrets };
}

/** The key packages of a commit that does nothing but add their owners. */
function additionsOf({ content }: PublicMessage): KeyPackage[] | undefined {
  if (content.contentType !== 'commit' || content.sender.senderType !== 'member') return undefined;
  const { path, proposals } = content.commit;
  if (path || proposals.length === 0) return undefined;
  const added = proposals.flatMap(addedBy);
  return added.length === proposals.length ? added : undefined;
}

function addedBy(one: ProposalOrRef): KeyPackage[] {
  if (one.proposalOrRefType !== 'proposal' || one.proposal.proposalType !== 'add') return [];
  return [one.proposal.add.keyPackage];
}

/** The wire format after it is where the transcript begins. */
const versionBytes = 2;
