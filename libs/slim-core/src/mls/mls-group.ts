import type {
  ClientState,
  Credential,
  KeyPackage,
  MLSMessage,
  Proposal,
  PublicMessage,
} from 'ts-mls';
import { createGroup } from 'ts-mls/clientState.js';
import { createCommit } from 'ts-mls/createCommit.js';
import { acceptAll } from 'ts-mls/incomingMessageAction.js';
import { decodeMlsMessage, encodeMlsMessage } from 'ts-mls/message.js';
import { processPublicMessage } from 'ts-mls/processMessages.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { SlimError } from '../errors/slim-error.js';
import { applyAdditions, commitAdditions } from './additions.js';
import { parseApplicationMessage, type Epoch, type Opened } from './epoch.js';
import { epochOf, lastEpochOf } from './epoch-of-state.js';
import { GroupKeeping, type KeptGroup } from './group-keeping.js';
import { clientConfig, makeKeyPackage, type MlsContext } from './key-package.js';
import { decodeEpoch, encodeEpoch, type RestoredEpoch } from './kept-epoch.js';
import { decodeTree, encodeTree } from './kept-tree.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';
import { fromLibrary, leavesOf, type MemberState } from './member-state.js';
import { joinWith, type OwnKeyPackage } from './welcome.js';

export type { KeptGroup } from './group-keeping.js';
export type { MlsContext } from './key-package.js';

/** What a membership change produces: the commit for those already in, the welcome for new members. */
export interface CommitResult {
  readonly commit: Uint8Array;
  /** Empty when nobody was added. */
  readonly welcome: Uint8Array;
}

const none = new Uint8Array(0);

/** Past epochs whose late messages can still be opened. */
const keptEpochs = 4;

/**
 * One member's view of an MLS group (reference: MLS 1 to 7). Membership changes are asynchronous and
 * the caller runs one at a time; messages are sealed and opened synchronously in between.
 */
export class MlsGroup {
  readonly #context: MlsContext;
  readonly #identities: MemberIdentities;
  /** Undefined once the group is settled. */
  #now: MemberState | undefined;
  readonly #groupId: Uint8Array;
  #number: bigint;
  /** Made for the first message: while a channel grows, most epochs see none. */
  #epoch: () => Epoch;
  readonly #past: { readonly number: bigint; readonly epoch: () => Epoch }[] = [];
  /** Where the members of a settled group are. */
  #settledLeaves: readonly number[] = [];
  #keeping: GroupKeeping | undefined;

  /** A group that has no state is settled, and `restored`. */
  constructor(
    context: MlsContext,
    identities: MemberIdentities,
    now: MemberState | undefined,
    restored?: RestoredEpoch,
  ) {
    const known = restored?.epoch.secrets ?? now?.state.groupContext;
    if (!known) throw new SlimError('mls-failure', 'a group of no epoch');
    this.#context = context;
    this.#identities = identities;
    this.#now = now;
    this.#groupId = known.groupId.slice();
    this.#number = known.epoch;
    this.#settledLeaves = now ? [] : [...(restored?.members.keys() ?? [])];
    const first = restored?.epoch;
    this.#epoch = first || !now ? () => first ?? settled() : epochOf(context, identities, now);
  }

  /** The group as it was kept, without a new welcome. @throws SlimError `mls-failure` */
  static restore(context: MlsContext, { epoch, tree }: KeptGroup): MlsGroup {
    const identities = new MemberIdentities(context.verifier);
    const restored = decodeEpoch(epoch, context.crypto, context.keys.privateKey);
    const now = tree && decodeTree(tree, context, identities, restored.members);
    if (now && now.state.groupContext.epoch !== restored.epoch.secrets.epoch) {
      throw new SlimError('mls-failure', 'what is kept of a group is of two epochs');
    }
    return new MlsGroup(context, identities, now, restored);
  }

  /** A group of one, whose creator is the moderator. `token` becomes the credential. */
  static async create(context: MlsContext, token: string): Promise<MlsGroup> {
    const { publicPackage, privatePackage } = await makeKeyPackage(context, token);
    const { suite, crypto } = context;
    const identities = new MemberIdentities(context.verifier);
    await identities.verify(publicPackage.leafNode.credential);
    const config = clientConfig(context, identities);
    const groupId = crypto.random(32);
    const state = createGroup(groupId, publicPackage, privatePackage, [], suite, config);
    return new MlsGroup(context, identities, fromLibrary(await state));
  }

  /** The number of the current epoch. */
  get epoch(): bigint {
    return this.#number;
  }

  /** Subjects of all members. */
  get subjects(): string[] {
    return this.#leaves().map(({ subject }) => subject);
  }

  /**
   * Adds the owners of key packages and moves to the next epoch.
   * @throws SlimError `mls-failure` when a package is not acceptable; the group is then unchanged.
   */
  async add(...keyPackages: readonly Uint8Array[]): Promise<CommitResult> {
    const packages = keyPackages.map(toKeyPackage);
    const taken = new Set(this.subjects);
    for (const { leafNode } of packages) await this.#claim(leafNode.credential, taken);
    const { commit, welcome, next } = await wrap('adding a member', () =>
      commitAdditions(this.#context, this.#current, packages),
    );
    this.#advance(next);
    return { commit, welcome };
  }

  /** Removes a member. @throws SlimError `not-a-member`, `mls-failure` */
  async remove(subject: string): Promise<CommitResult> {
    return this.#commit('removing a member', [this.#removeProposal(subject)]);
  }

  /** Replaces the leaf of a member that fell behind. @throws SlimError `not-a-member`, `mls-failure` */
  async replace(subject: string, keyPackage: Uint8Array): Promise<CommitResult> {
    const added = toKeyPackage(keyPackage);
    const others = new Set(this.subjects);
    others.delete(subject);
    const claimed = await this.#claim(added.leafNode.credential, others);
    if (claimed !== subject) {
      throw new SlimError(
        'mls-failure',
        `a key package of "${claimed}" cannot replace "${subject}"`,
      );
    }
    const proposals = [this.#removeProposal(subject), addProposal(added)];
    return this.#commit('replacing a member', proposals);
  }

  /** Gives the own leaf a new credential, before the old one is too old (reference: MLS 9.3). */
  async refresh(token: string): Promise<CommitResult> {
    const credential = tokenCredential(token);
    await this.#identities.verify(credential);
    return this.#commit('refreshing the own leaf', [], this.#stateWith(credential));
  }

  /** Applies a commit of the moderator. @throws SlimError `mls-failure` */
  async applyCommit(commit: Uint8Array): Promise<void> {
    // A copy, since what it adds becomes part of the group: views would keep the whole frame.
    const bytes = commit.slice();
    const message = decode(bytes);
    if (message.wireformat !== 'mls_public_message') {
      throw new SlimError('mls-failure', `expected a commit, got ${message.wireformat}`);
    }
    this.#advance(await wrap('applying a commit', () => this.#after(message.publicMessage, bytes)));
  }

  /**
   * Gives up what only changes of the membership need, most of what a group holds (bench case `memory of
   * idle sessions`). Before the first message, in a group that stays as it is: a session of two.
   */
  settle(): void {
    const epoch = lastEpochOf(this.#context, this.#identities, this.#current);
    this.#epoch = () => epoch;
    this.#settledLeaves = this.#leaves().map(({ leaf }) => leaf);
    this.#now = undefined;
    this.#past.length = 0;
  }

  /** Returns a complete MLSMessage that holds the plaintext and authenticates the data beside it. */
  seal(plaintext: Uint8Array, authenticatedData: Uint8Array): Uint8Array {
    const epoch = this.#epoch();
    this.#keeping?.sealing(epoch.generation);
    return epoch.seal(plaintext, authenticatedData);
  }

  /**
   * From now on the group asks to be kept, see `GroupKeeping`: by `kept`, which the caller writes down, and
   * then calls `done`.
   */
  keepWith(keep: (isNeeded: boolean) => void): void {
    this.#keeping ??= new GroupKeeping(keep);
  }

  /** What outlives the process. The tree is undefined where it was kept before, and where there is none. */
  kept(): KeptGroup & { readonly isSettled: boolean; done(): void } {
    const epoch = this.#epoch();
    const keeping = this.#keeping;
    const now = this.#now;
    const leaves = now ? this.#leaves().map(({ leaf }) => leaf) : this.#settledLeaves;
    const reserved = keeping?.ahead(epoch.generation) ?? epoch.generation;
    return {
      epoch: encodeEpoch(epoch, leaves, reserved),
      tree: now && !keeping?.isTreeKept ? encodeTree(now) : undefined,
      isSettled: !now,
      done: () => keeping?.kept(reserved),
    };
  }

  /** Opens a message of this epoch or of one of the last. @throws SlimError `mls-failure` */
  open(bytes: Uint8Array): Opened {
    const message = parseApplicationMessage(bytes);
    if (!this.#context.crypto.equal(message.groupId, this.#groupId)) {
      throw new SlimError('mls-failure', 'the message is of another group');
    }
    if (message.epoch === this.epoch) {
      const opened = this.#epoch().open(message);
      this.#keeping?.opened();
      return opened;
    }
    const past = this.#past.find(({ number }) => number === message.epoch);
    if (!past) {
      throw new SlimError('mls-failure', `no keys for epoch ${message.epoch}, now ${this.epoch}`);
    }
    return past.epoch().open(message);
  }

  /** The library lets one subject in twice, which native members would refuse. */
  async #claim(credential: Credential, taken: Set<string>): Promise<string> {
    const { subject } = await this.#identities.verify(credential);
    if (taken.has(subject))
      throw new SlimError('mls-failure', `"${subject}" is in the group already`);
    taken.add(subject);
    return subject;
  }

  /** @throws SlimError `mls-failure` when the group is settled */
  get #current(): MemberState {
    return this.#now ?? settled();
  }

  get #state(): ClientState {
    return this.#current.state;
  }

  #leaves(): { readonly leaf: number; readonly subject: string }[] {
    return leavesOf(this.#state.ratchetTree).map(({ leaf, node }) => ({
      leaf,
      subject: this.#identities.of(node.credential).subject,
    }));
  }

  /** @throws SlimError `not-a-member` for a commit that removes this side */
  async #after(commit: PublicMessage, bytes: Uint8Array): Promise<MemberState> {
    const { suite } = this.#context;
    const grown = await applyAdditions(this.#context, this.#current, commit, bytes);
    if (grown) return grown;
    const { newState } = await processPublicMessage(
      this.#state,
      commit,
      emptyPskIndex,
      suite,
      acceptAll,
    );
    if (newState.groupActiveState.kind === 'active') {
      return fromLibrary(newState, this.#current.hashed);
    }
    throw new SlimError('not-a-member', 'the commit removed this member');
  }

  #removeProposal(subject: string): Proposal {
    const found = this.#leaves().find((member) => member.subject === subject);
    if (!found) throw new SlimError('not-a-member', `"${subject}" is not in the group`);
    return { proposalType: 'remove', remove: { removed: found.leaf } };
  }

  async #commit(
    what: string,
    extraProposals: Proposal[],
    state: ClientState = this.#state,
  ): Promise<CommitResult> {
    const { suite } = this.#context;
    const { commit, welcome, newState } = await wrap(what, () =>
      createCommit(
        { state, cipherSuite: suite },
        { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals },
      ),
    );
    this.#advance(fromLibrary(newState, this.#current.hashed));
    return {
      commit: encodeMlsMessage(commit),
      welcome: welcome
        ? encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
        : none,
    };
  }

  /** The library copies the credential of the own leaf into a commit, so that is where it is changed. */
  #stateWith(credential: Credential): ClientState {
    const index = this.#state.privatePath.leafIndex * 2;
    const ratchetTree = this.#state.ratchetTree.map((node, at) =>
      at === index && node?.nodeType === 'leaf'
        ? { ...node, leaf: { ...node.leaf, credential } }
        : node,
    );
    return { ...this.#state, ratchetTree };
  }

  #advance(next: MemberState): void {
    this.#past.unshift({ number: this.epoch, epoch: this.#epoch });
    this.#past.length = Math.min(this.#past.length, keptEpochs);
    this.#now = next;
    this.#number = next.state.groupContext.epoch;
    this.#epoch = epochOf(this.#context, this.#identities, next);
    this.#keeping?.advanced();
  }
}

/** @throws SlimError `mls-failure` */
function settled(): never {
  throw new SlimError('mls-failure', 'the members of this group are settled');
}

/** A key package that was handed out and the private keys that can use its welcome. */
export class PendingMember {
  /** The key package as a complete MLSMessage. */
  readonly keyPackage: Uint8Array;
  readonly #context: MlsContext;
  readonly #own: OwnKeyPackage;

  /** Takes a key package that exists, with its private keys. */
  constructor(context: MlsContext, own: OwnKeyPackage) {
    this.#context = context;
    this.#own = own;
    this.keyPackage = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_key_package',
      keyPackage: own.publicPackage,
    });
  }

  static async create(context: MlsContext, token: string): Promise<PendingMember> {
    return new PendingMember(context, await makeKeyPackage(context, token));
  }

  /** Joins with the welcome that answers the key package. @throws SlimError `mls-failure` */
  async join(welcome: Uint8Array): Promise<MlsGroup> {
    const message = decode(welcome);
    if (message.wireformat !== 'mls_welcome') {
      throw new SlimError('mls-failure', `expected a welcome, got ${message.wireformat}`);
    }
    const identities = new MemberIdentities(this.#context.verifier);
    const config = clientConfig(this.#context, identities);
    const state = await wrap('joining the group', () =>
      joinWith(message.welcome, this.#own, this.#context, config),
    );
    return new MlsGroup(this.#context, identities, state);
  }
}

/** A copy is decoded: what becomes part of the group would keep the whole frame that brought it. */
function toKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decode(bytes.slice());
  if (message.wireformat === 'mls_key_package') return message.keyPackage;
  throw new SlimError('mls-failure', `expected a key package, got ${message.wireformat}`);
}

const addProposal = (keyPackage: KeyPackage): Proposal => ({
  proposalType: 'add',
  add: { keyPackage },
});

function decode(bytes: Uint8Array): MLSMessage {
  let decoded: ReturnType<typeof decodeMlsMessage>;
  try {
    decoded = decodeMlsMessage(bytes, 0);
  } catch (reason) {
    throw SlimError.from(reason, 'mls-failure', 'not an MLS message');
  }
  if (!decoded) throw new SlimError('mls-failure', 'not an MLS message');
  return decoded[0];
}

async function wrap<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (reason) {
    throw SlimError.from(reason, 'mls-failure', what);
  }
}
