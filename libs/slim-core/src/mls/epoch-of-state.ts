import type { ClientState, RatchetTree } from 'ts-mls';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import type { Crypto } from '../crypto/crypto.js';
import { Epoch, type EpochMember, type EpochSecrets } from './epoch.js';
import type { MlsContext } from './key-package.js';
import type { MemberIdentities } from './member-identities.js';
import { leavesOf, type MemberState } from './member-state.js';
import type { ApplicationSecrets } from './secret-tree.js';

/** What the synchronous message path needs of a state; it keeps nothing else of it. */
export function epochOf(
  context: MlsContext,
  identities: MemberIdentities,
  { state, secrets }: MemberState,
): () => Epoch {
  const own = secretsOf(context, state);
  const { ratchetTree } = state;
  const members = new Map<number, EpochMember>();
  // The tree of this epoch: its late messages must find a sender that was removed since.
  const member = (leaf: number): EpochMember | undefined => {
    const known = members.get(leaf) ?? memberAt(identities, ratchetTree, secrets, leaf);
    if (known) members.set(leaf, known);
    return known;
  };
  return once(() => new Epoch(context.crypto, { ...own(), member }));
}

/** The same where nothing of the tree is kept, nor of the secret tree: everybody is looked up now. */
export function lastEpochOf(
  context: MlsContext,
  identities: MemberIdentities,
  { state, secrets }: MemberState,
): Epoch {
  const { ratchetTree } = state;
  const members = leavesOf(ratchetTree).map(
    ({ leaf }) => [leaf, memberAt(identities, ratchetTree, secrets, leaf)] as const,
  );
  return epochWith(context.crypto, secretsOf(context, state)(), new Map(members));
}

/** On its own, because a closure keeps whatever is in scope beside it. */
function epochWith(
  crypto: Crypto,
  own: Omit<EpochSecrets, 'member'>,
  members: ReadonlyMap<number, EpochMember | undefined>,
): Epoch {
  return new Epoch(crypto, { ...own, member: (leaf) => members.get(leaf) });
}

function secretsOf({ keys }: MlsContext, state: ClientState): () => Omit<EpochSecrets, 'member'> {
  const { groupContext, keySchedule, privatePath } = state;
  const { groupId, epoch } = groupContext;
  const { senderDataSecret } = keySchedule;
  const { leafIndex: ownLeaf } = privatePath;
  return () => ({
    // A copy: it is a view of the whole welcome.
    groupId: groupId.slice(),
    epoch,
    groupContext: encodeGroupContext(groupContext),
    senderDataSecret,
    ownLeaf,
    signingKey: keys.privateKey,
  });
}

function memberAt(
  identities: MemberIdentities,
  tree: RatchetTree,
  secrets: ApplicationSecrets,
  leaf: number,
): EpochMember | undefined {
  const node = tree[leaf * 2];
  const applicationSecret = node?.nodeType === 'leaf' ? secrets.of(leaf) : undefined;
  if (node?.nodeType !== 'leaf' || !applicationSecret) return undefined;
  const { subject } = identities.of(node.leaf.credential);
  return { subject, publicKey: node.leaf.signaturePublicKey.slice(), applicationSecret };
}

function once<Result>(make: () => Result): () => Result {
  let made: Result | undefined;
  return () => (made ??= make());
}
