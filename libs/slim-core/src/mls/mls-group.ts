import {
  acceptAll,
  createCommit,
  createGroup,
  decodeMlsMessage,
  emptyPskIndex,
  encodeMlsMessage,
  processPublicMessage,
  type ClientState,
  type Credential,
  type KeyPackage,
  type MLSMessage,
  type Proposal,
  type PublicMessage,
} from 'ts-mls';
import { SlimError } from '../errors/slim-error.js';
import { applyAdditions, commitAdditions } from './additions.js';
import { parseApplicationMessage, type Epoch, type Opened } from './epoch.js';
import { epochOf, lastEpochOf } from './epoch-of-state.js';
import { clientConfig, makeKeyPackage, type MlsContext } from './key-package.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';
import { fromLibrary, leavesOf, type MemberState } from './member-state.js';
import { joinWith, type OwnKeyPackage } from './welcome.js';

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

  constructor(context: MlsContext, identities: MemberIdentities, now: MemberState) {
    this.#context = context;
    this.#identities = identities;
    this.#now = now;
    this.#groupId = now.state.groupContext.groupId.slice();
    this.#number = now.state.groupContext.epoch;
    this.#epoch = epochOf(context, identities, now);
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
    const message = decode(commit.slice());
    if (message.wireformat !== 'mls_public_message') {
      throw new SlimError('mls-failure', `expected a commit, got ${message.wireformat}`);
    }
    this.#advance(await wrap('applying a commit', () => this.#after(message.publicMessage)));
  }

  /**
   * Gives up what only changes of the membership need, most of what a group holds (bench case `memory of
   * idle sessions`). Before the first message, in a group that stays as it is: a session of two.
   */
  settle(): void {
    const epoch = lastEpochOf(this.#context, this.#identities, this.#current);
    this.#epoch = () => epoch;
    this.#now = undefined;
    this.#past.length = 0;
  }

  /** Returns a complete MLSMessage that holds the plaintext and authenticates the data beside it. */
  seal(plaintext: Uint8Array, authenticatedData: Uint8Array): Uint8Array {
    return this.#epoch().seal(plaintext, authenticatedData);
  }

  /** Opens a message of this epoch or of one of the last. @throws SlimError `mls-failure` */
  open(bytes: Uint8Array): Opened {
    const message = parseApplicationMessage(bytes);
    if (!this.#context.crypto.equal(message.groupId, this.#groupId)) {
      throw new SlimError('mls-failure', 'the message is of another group');
    }
    if (message.epoch === this.epoch) return this.#epoch().open(message);
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
    if (this.#now) return this.#now;
    throw new SlimError('mls-failure', 'the members of this group are settled');
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
  async #after(commit: PublicMessage): Promise<MemberState> {
    const { suite } = this.#context;
    const grown = await applyAdditions(this.#context, this.#current, commit);
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
  }
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
