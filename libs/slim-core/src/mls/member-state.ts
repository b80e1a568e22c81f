import type { ClientState, RatchetTree } from 'ts-mls';
import type { EpochSecrets } from 'ts-mls/keySchedule.js';
import type { Crypto } from '../crypto/crypto.js';
import type { HashedTree } from './hashed-tree.js';
import { SecretTree, type ApplicationSecrets } from './secret-tree.js';

/** What a member is in one epoch. Never changed: a change of the group makes the next one. */
export interface MemberState {
  /** Of the library, without what our own message path replaces: secret tree and epochs before. */
  readonly state: ClientState;
  readonly secrets: ApplicationSecrets;
  /** The last tree that was hashed; not always that of this epoch. */
  readonly hashed: HashedTree | undefined;
}

/** The state that the library made of the one before. */
export function fromLibrary(state: ClientState, hashed?: HashedTree): MemberState {
  const { secretTree } = state;
  return {
    state: lean(state),
    secrets: { of: (leaf) => secretTree[leaf * 2]?.application.secret },
    hashed,
  };
}

/** The state of an epoch whose secrets were derived for a tree. Takes over the encryption secret. */
export function withSecrets(
  crypto: Crypto,
  state: Omit<ClientState, 'secretTree' | 'keySchedule'>,
  { keySchedule, encryptionSecret }: Pick<EpochSecrets, 'keySchedule' | 'encryptionSecret'>,
  hashed?: HashedTree,
): MemberState {
  return {
    state: lean({ ...state, keySchedule, secretTree: [] }),
    secrets: new SecretTree(crypto, state.ratchetTree.length, encryptionSecret),
    hashed,
  };
}

function lean(state: ClientState): ClientState {
  return { ...state, secretTree: [], historicalReceiverData: new Map(), unappliedProposals: {} };
}

/** The leaves that are not blank. */
export function leavesOf(tree: RatchetTree) {
  return tree.flatMap((node, index) =>
    node?.nodeType === 'leaf' ? [{ leaf: index / 2, node: node.leaf }] : [],
  );
}
