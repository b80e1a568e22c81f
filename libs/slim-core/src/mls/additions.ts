import {
  emptyPskIndex,
  encodeMlsMessage,
  type CiphersuiteImpl,
  type KeyPackage,
  type ProposalOrRef,
  type PublicMessage,
  type RatchetTree,
} from 'ts-mls';
import {
  applyProposals,
  checkCanSendHandshakeMessages,
  nextEpochContext,
} from 'ts-mls/clientState.js';
import {
  createConfirmationTag,
  createContentCommitSignature,
  verifyConfirmationTag,
  type FramedContentCommit,
} from 'ts-mls/framedContent.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { protectPublicMessage, unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { hashTree } from './hashed-tree.js';
import { withSecrets, type MemberState } from './member-state.js';
import { welcomeTo } from './welcome.js';

// Commits that add members and do nothing else: all that happens while a channel grows, and they have no
// update path. Every check, every encoding and the key schedule are the library's; what differs from its own
// `createCommit` and `processPublicMessage` is that trees are hashed where they changed and secret trees
// derived where somebody speaks (bench case `invite`, MLS on). Those are the oracles in the tests.

/** What both kinds of members need. */
export interface Toolbox {
  readonly crypto: Crypto;
  readonly suite: CiphersuiteImpl;
}

/** A commit that adds members, and the welcome for them. */
export interface Addition {
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array;
  readonly next: MemberState;
}

const wireformat = 'mls_public_message';

/** Adds the owners of key packages. @throws what the library says of a package */
export async function commitAdditions(
  { crypto, suite }: Toolbox,
  before: MemberState,
  keyPackages: readonly KeyPackage[],
): Promise<Addition> {
  const { state } = before;
  const { groupContext, keySchedule, privatePath } = state;
  checkCanSendHandshakeMessages(state);
  const proposals = keyPackages.map(addProposal);
  const own = toLeafIndex(privatePath.leafIndex);
  const applied = await applyProposals(state, proposals, own, emptyPskIndex, true, suite);
  const { framedContent, signature } = await createContentCommitSignature(
    groupContext,
    wireformat,
    { proposals, path: undefined },
    { senderType: 'member', leafIndex: privatePath.leafIndex },
    new Uint8Array(),
    state.signaturePrivateKey,
    suite.signature,
  );
  const signed = { content: framedContent, signature };
  const step = await nextEpoch({ crypto, suite }, before, applied.tree, signed);
  const { confirmationKey } = step.secrets.keySchedule;
  const { confirmedTranscriptHash } = step.groupContext;
  const confirmationTag = await createConfirmationTag(
    confirmationKey,
    confirmedTranscriptHash,
    suite.hash,
  );
  const auth = { contentType: framedContent.contentType, signature, confirmationTag };
  const content = { wireformat, content: framedContent, auth } as const;
  const publicMessage = await protectPublicMessage(
    keySchedule.membershipKey,
    groupContext,
    content,
    suite,
  );
  const after = { ...state, ratchetTree: applied.tree, groupContext: step.groupContext };
  const welcome = await welcomeTo(keyPackages, suite, {
    state: { ...after, confirmationTag },
    secrets: step.secrets,
  });
  step.secrets.joinerSecret.fill(0);
  return {
    commit: encodeMlsMessage({ version: 'mls10', wireformat, publicMessage }),
    welcome,
    next: withSecrets(crypto, { ...after, confirmationTag }, step.secrets, step.hashed),
  };
}

/**
 * The state after a commit, or undefined for a commit that does more than to add members.
 * @throws what the library says of it
 */
export async function applyAdditions(
  { crypto, suite }: Toolbox,
  before: MemberState,
  message: PublicMessage,
): Promise<MemberState | undefined> {
  const { state } = before;
  if (!isAddition(message) || message.content.epoch !== state.groupContext.epoch) return undefined;
  const { content, auth } = await unprotectPublicMessage(
    state.keySchedule.membershipKey,
    state.groupContext,
    state.ratchetTree,
    message,
    suite,
  );
  const isCommit = content.contentType === 'commit' && auth.contentType === 'commit';
  if (!isCommit || content.sender.senderType !== 'member') return undefined;
  const sender = toLeafIndex(content.sender.leafIndex);
  const { proposals } = content.commit;
  const applied = await applyProposals(state, proposals, sender, emptyPskIndex, false, suite);
  const signed = { content, signature: auth.signature };
  const step = await nextEpoch({ crypto, suite }, before, applied.tree, signed);
  const { groupContext, secrets, hashed } = step;
  const isConfirmed = await verifyConfirmationTag(
    secrets.keySchedule.confirmationKey,
    auth.confirmationTag,
    groupContext.confirmedTranscriptHash,
    suite.hash,
  );
  secrets.joinerSecret.fill(0);
  if (!isConfirmed) throw new SlimError('mls-failure', 'the confirmation of a commit is wrong');
  const { confirmationTag } = auth;
  const after = { ...state, ratchetTree: applied.tree, groupContext, confirmationTag };
  return withSecrets(crypto, after, secrets, hashed);
}

async function nextEpoch(
  { crypto, suite }: Toolbox,
  { state, hashed: hashedBefore }: MemberState,
  tree: RatchetTree,
  { content, signature }: { readonly content: FramedContentCommit; readonly signature: Uint8Array },
) {
  const hashed = hashTree(crypto, tree, hashedBefore);
  const groupContext = await nextEpochContext(
    state.groupContext,
    wireformat,
    content,
    signature,
    hashed.root,
    state.confirmationTag,
    suite.hash,
  );
  const { initSecret } = state.keySchedule;
  // Without an update path and without PSKs there are zeros in their place (RFC 9420 section 8).
  const none = new Uint8Array(suite.kdf.size);
  const secrets = await initializeEpoch(initSecret, none, groupContext, none, suite.kdf);
  return { hashed, groupContext, secrets };
}

function isAddition({ content }: PublicMessage): boolean {
  if (content.contentType !== 'commit' || content.sender.senderType !== 'member') return false;
  const { path, proposals } = content.commit;
  return !path && proposals.length > 0 && proposals.every(isAdd);
}

function isAdd(one: ProposalOrRef): boolean {
  return one.proposalOrRefType === 'proposal' && one.proposal.proposalType === 'add';
}

const addProposal = (keyPackage: KeyPackage): ProposalOrRef => ({
  proposalOrRefType: 'proposal',
  proposal: { proposalType: 'add', add: { keyPackage } },
});
