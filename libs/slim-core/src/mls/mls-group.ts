import {
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultKeyPackageEqualityConfig,
  defaultKeyRetentionConfig,
  defaultLifetimeConfig,
  defaultPaddingConfig,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  joinGroup,
  processPublicMessage,
  acceptAll,
  type Capabilities,
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  type Credential,
  type KeyPackage,
  type MLSMessage,
  type PrivateKeyPackage,
  type Proposal,
} from 'ts-mls';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import type { IdentityVerifier } from '../auth/identity.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { suiteName } from './cipher-suite.js';
import { Epoch, parseApplicationMessage, type EpochMember, type Opened } from './epoch.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';

/** What every group of one application is made from. */
export interface MlsContext {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly suite: CiphersuiteImpl;
  readonly verifier: IdentityVerifier;
  readonly keys: SigningKeyPair;
}

/** What a membership change produces: the commit for those already in, the welcome for new members. */
export interface CommitResult {
  readonly commit: Uint8Array;
  /** Empty when nobody was added. */
  readonly welcome: Uint8Array;
}

const none = new Uint8Array(0);

/** Past epochs whose late messages can still be opened. */
const keptEpochs = 4;
const secondsPerHour = 3600;
const secondsPerYear = 365 * 24 * secondsPerHour;

/**
 * One member's view of an MLS group (reference: MLS 1 to 7). Membership changes are asynchronous and
 * the caller runs one at a time; messages are sealed and opened synchronously in between.
 */
export class MlsGroup {
  readonly #context: MlsContext;
  readonly #identities: MemberIdentities;
  #state: ClientState;
  #epoch: Epoch;
  readonly #past: { readonly number: bigint; readonly epoch: Epoch }[] = [];

  constructor(context: MlsContext, identities: MemberIdentities, state: ClientState) {
    this.#context = context;
    this.#identities = identities;
    this.#state = state;
    this.#epoch = epochOf(context, identities, state);
  }

  /** A group of one, whose creator is the moderator. `token` becomes the credential. */
  static async create(context: MlsContext, token: string): Promise<MlsGroup> {
    const { publicPackage, privatePackage } = await makeKeyPackage(context, token);
    const { suite, crypto } = context;
    const identities = new MemberIdentities(context.verifier);
    await identities.verify(publicPackage.leafNode.credential);
    const options = config(context, identities);
    const groupId = crypto.random(32);
    const state = createGroup(groupId, publicPackage, privatePackage, [], suite, options);
    return new MlsGroup(context, identities, await state);
  }

  /** The number of the current epoch. */
  get epoch(): bigint {
    return this.#state.groupContext.epoch;
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
    return this.#commit('adding a member', packages.map(addProposal));
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
    await this.#identities.verify(tokenCredential(token));
    return this.#commit('refreshing the own leaf', [], this.#stateWithToken(token));
  }

  /** Applies a commit of the moderator. @throws SlimError `mls-failure` */
  async applyCommit(commit: Uint8Array): Promise<void> {
    const message = decode(commit);
    if (message.wireformat !== 'mls_public_message') {
      throw new SlimError('mls-failure', `expected a commit, got ${message.wireformat}`);
    }
    const { suite } = this.#context;
    const { newState } = await wrap('applying a commit', () =>
      processPublicMessage(this.#state, message.publicMessage, emptyPskIndex, suite, acceptAll),
    );
    if (newState.groupActiveState.kind !== 'active') {
      throw new SlimError('not-a-member', 'the commit removed this member');
    }
    this.#advance(newState);
  }

  /** Returns a complete MLSMessage that holds the plaintext and authenticates the data beside it. */
  seal(plaintext: Uint8Array, authenticatedData: Uint8Array): Uint8Array {
    return this.#epoch.seal(plaintext, authenticatedData);
  }

  /** Opens a message of this epoch or of one of the last. @throws SlimError `mls-failure` */
  open(bytes: Uint8Array): Opened {
    const message = parseApplicationMessage(bytes);
    if (!this.#context.crypto.equal(message.groupId, this.#state.groupContext.groupId)) {
      throw new SlimError('mls-failure', 'the message is of another group');
    }
    if (message.epoch === this.epoch) return this.#epoch.open(message);
    const past = this.#past.find(({ number }) => number === message.epoch);
    if (!past) {
      throw new SlimError('mls-failure', `no keys for epoch ${message.epoch}, now ${this.epoch}`);
    }
    return past.epoch.open(message);
  }

  /** The library lets one subject in twice, which native members would refuse. */
  async #claim(credential: Credential, taken: Set<string>): Promise<string> {
    const { subject } = await this.#identities.verify(credential);
    if (taken.has(subject))
      throw new SlimError('mls-failure', `"${subject}" is in the group already`);
    taken.add(subject);
    return subject;
  }

  #leaves(): { readonly leaf: number; readonly subject: string }[] {
    return this.#state.ratchetTree.flatMap((node, index) =>
      node?.nodeType === 'leaf'
        ? [{ leaf: index / 2, subject: this.#identities.of(node.leaf.credential).subject }]
        : [],
    );
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
    this.#advance(newState);
    return {
      commit: encodeMlsMessage(commit),
      welcome: welcome
        ? encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
        : none,
    };
  }

  /** The library copies the credential of the own leaf into a commit, so that is where it is changed. */
  #stateWithToken(token: string): ClientState {
    const index = this.#state.privatePath.leafIndex * 2;
    const ratchetTree = this.#state.ratchetTree.map((node, at) =>
      at === index && node?.nodeType === 'leaf'
        ? { ...node, leaf: { ...node.leaf, credential: tokenCredential(token) } }
        : node,
    );
    return { ...this.#state, ratchetTree };
  }

  #advance(state: ClientState): void {
    this.#past.unshift({ number: this.epoch, epoch: this.#epoch });
    this.#past.length = Math.min(this.#past.length, keptEpochs);
    this.#state = state;
    this.#epoch = epochOf(this.#context, this.#identities, state);
    this.#identities.keep(credentialsOf(state));
  }
}

/** A key package that was handed out and the private keys that can use its welcome. */
export class PendingMember {
  /** The key package as a complete MLSMessage. */
  readonly keyPackage: Uint8Array;
  readonly #context: MlsContext;
  readonly #public: KeyPackage;
  readonly #private: PrivateKeyPackage;

  /** Takes a key package that exists, with its private keys. */
  constructor(
    context: MlsContext,
    own: { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage },
  ) {
    this.#context = context;
    this.#public = own.publicPackage;
    this.#private = own.privatePackage;
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
    const { suite, verifier } = this.#context;
    const identities = new MemberIdentities(verifier);
    const state = await wrap('joining the group', () =>
      joinGroup(
        message.welcome,
        this.#public,
        this.#private,
        emptyPskIndex,
        suite,
        undefined,
        undefined,
        config(this.#context, identities),
      ),
    );
    return new MlsGroup(this.#context, identities, state);
  }
}

const capabilities: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ['basic'],
};

async function makeKeyPackage(
  context: MlsContext,
  token: string,
): Promise<{ publicPackage: KeyPackage; privatePackage: PrivateKeyPackage }> {
  const { keys, suite, clock } = context;
  const now = BigInt(Math.floor(clock.now() / 1000));
  // The start lies back, because a native moderator refuses a package from the future.
  const lifetime = {
    notBefore: now - BigInt(secondsPerHour),
    notAfter: now + BigInt(secondsPerYear),
  };
  const credential = tokenCredential(token);
  const pair = { signKey: keys.privateKey, publicKey: keys.publicKey };
  return generateKeyPackageWithKey(credential, capabilities, lifetime, [], pair, suite);
}

function config({ crypto }: MlsContext, identities: MemberIdentities): ClientConfig {
  return {
    keyRetentionConfig: defaultKeyRetentionConfig,
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService: {
      validateCredential: async (credential, publicKey) => {
        const identity = await identities.verify(credential);
        return crypto.equal(identity.publicKey, publicKey);
      },
    },
  };
}

function toKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decode(bytes);
  if (message.wireformat === 'mls_key_package') return message.keyPackage;
  throw new SlimError('mls-failure', `expected a key package, got ${message.wireformat}`);
}

const addProposal = (keyPackage: KeyPackage): Proposal => ({
  proposalType: 'add',
  add: { keyPackage },
});

/** What the synchronous message path needs of the library's state. */
function epochOf(
  { crypto, keys }: MlsContext,
  identities: MemberIdentities,
  state: ClientState,
): Epoch {
  const { groupContext, keySchedule, secretTree, ratchetTree, privatePath } = state;
  // All at once: a late message of this epoch must find its sender after that member was removed.
  const members = new Map<number, EpochMember>();
  for (let leaf = 0; leaf * 2 < ratchetTree.length; leaf += 1) {
    const node = ratchetTree[leaf * 2];
    const secrets = secretTree[leaf * 2];
    if (node?.nodeType !== 'leaf' || !secrets) continue;
    members.set(leaf, {
      subject: identities.of(node.leaf.credential).subject,
      publicKey: node.leaf.signaturePublicKey,
      applicationSecret: secrets.application.secret,
    });
  }
  return new Epoch(crypto, {
    groupId: groupContext.groupId,
    epoch: groupContext.epoch,
    groupContext: encodeGroupContext(groupContext),
    senderDataSecret: keySchedule.senderDataSecret,
    ownLeaf: privatePath.leafIndex,
    signingKey: keys.privateKey,
    member: (leaf) => members.get(leaf),
  });
}

function credentialsOf({ ratchetTree }: ClientState): Credential[] {
  return ratchetTree.flatMap((node) => (node?.nodeType === 'leaf' ? [node.leaf.credential] : []));
}

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
