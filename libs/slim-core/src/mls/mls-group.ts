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
} from 'ts-mls';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import type { IdentityVerifier } from '../auth/identity.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { suiteName } from './cipher-suite.js';
import { Epoch, parseApplicationMessage, type EpochMember, type Opened } from './epoch.js';

/** What every group of one application is made from. */
export interface MlsContext {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly suite: CiphersuiteImpl;
  readonly verifier: IdentityVerifier;
  readonly keys: SigningKeyPair;
}

/** What an Add produces: the commit for those already in, the welcome for the new member. */
export interface AddResult {
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array;
}

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
  #state: ClientState;
  #epoch: Epoch;
  readonly #past: { readonly number: bigint; readonly epoch: Epoch }[] = [];

  constructor(context: MlsContext, state: ClientState) {
    this.#context = context;
    this.#state = state;
    this.#epoch = epochOf(context, state);
  }

  /** A group of one, whose creator is the moderator. `token` becomes the credential. */
  static async create(context: MlsContext, token: string): Promise<MlsGroup> {
    const own = await makeKeyPackage(context, token);
    const groupId = context.crypto.random(32);
    const { suite } = context;
    return new MlsGroup(
      context,
      await createGroup(groupId, own.publicPackage, own.privatePackage, [], suite, config(context)),
    );
  }

  /** The number of the current epoch. */
  get epoch(): bigint {
    return this.#state.groupContext.epoch;
  }

  /** Subjects of all members. */
  get subjects(): string[] {
    const { verifier } = this.#context;
    return this.#state.ratchetTree.flatMap((node) =>
      node?.nodeType === 'leaf' ? [subjectOf(verifier, node.leaf.credential)] : [],
    );
  }

  /**
   * Adds the owner of a key package and moves to the next epoch.
   * @throws SlimError `mls-failure` when the package is not acceptable.
   */
  async add(keyPackage: Uint8Array): Promise<AddResult> {
    const message = decode(keyPackage);
    if (message.wireformat !== 'mls_key_package') {
      throw new SlimError('mls-failure', `expected a key package, got ${message.wireformat}`);
    }
    this.#assertAcceptable(message.keyPackage);
    const { suite } = this.#context;
    const result = await wrap('adding a member', () =>
      createCommit(
        { state: this.#state, cipherSuite: suite },
        {
          wireAsPublicMessage: true,
          ratchetTreeExtension: true,
          extraProposals: [{ proposalType: 'add', add: { keyPackage: message.keyPackage } }],
        },
      ),
    );
    if (!result.welcome) throw new SlimError('mls-failure', 'adding a member gave no welcome');
    this.#advance(result.newState);
    return {
      commit: encodeMlsMessage(result.commit),
      welcome: encodeMlsMessage({
        version: 'mls10',
        wireformat: 'mls_welcome',
        welcome: result.welcome,
      }),
    };
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
  #assertAcceptable({ leafNode }: KeyPackage): void {
    const subject = subjectOf(this.#context.verifier, leafNode.credential);
    if (this.subjects.includes(subject)) {
      throw new SlimError('mls-failure', `"${subject}" is in the group already`);
    }
  }

  #advance(state: ClientState): void {
    this.#past.unshift({ number: this.epoch, epoch: this.#epoch });
    this.#past.length = Math.min(this.#past.length, keptEpochs);
    this.#state = state;
    this.#epoch = epochOf(this.#context, state);
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
    const { suite } = this.#context;
    const state = await wrap('joining the group', () =>
      joinGroup(
        message.welcome,
        this.#public,
        this.#private,
        emptyPskIndex,
        suite,
        undefined,
        undefined,
        config(this.#context),
      ),
    );
    return new MlsGroup(this.#context, state);
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
  const credential: Credential = {
    credentialType: 'basic',
    identity: new TextEncoder().encode(token),
  };
  const pair = { signKey: keys.privateKey, publicKey: keys.publicKey };
  return generateKeyPackageWithKey(credential, capabilities, lifetime, [], pair, suite);
}

function config({ crypto, verifier }: MlsContext): ClientConfig {
  return {
    keyRetentionConfig: defaultKeyRetentionConfig,
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService: {
      validateCredential: async (credential, publicKey) => {
        if (credential.credentialType !== 'basic') return false;
        const identity = verifier.verifyCredential(tokenOf(credential));
        return crypto.equal(identity.publicKey, publicKey);
      },
    },
  };
}

function tokenOf(credential: Credential): string {
  if (credential.credentialType !== 'basic') {
    throw new SlimError(
      'mls-failure',
      `expected a basic credential, got ${credential.credentialType}`,
    );
  }
  return new TextDecoder().decode(credential.identity);
}

function subjectOf(verifier: IdentityVerifier, credential: Credential): string {
  return verifier.verifyCredential(tokenOf(credential)).subject;
}

/** What the synchronous message path needs of the library's state. */
function epochOf({ crypto, keys, verifier }: MlsContext, state: ClientState): Epoch {
  const { groupContext, keySchedule, secretTree, ratchetTree, privatePath } = state;
  const members = new Map<number, EpochMember>();
  const member = (leaf: number): EpochMember | undefined => {
    const known = members.get(leaf);
    if (known) return known;
    const node = ratchetTree[leaf * 2];
    const secrets = secretTree[leaf * 2];
    if (node?.nodeType !== 'leaf' || !secrets) return undefined;
    const found = {
      subject: subjectOf(verifier, node.leaf.credential),
      publicKey: node.leaf.signaturePublicKey,
      applicationSecret: secrets.application.secret,
    };
    members.set(leaf, found);
    return found;
  };
  return new Epoch(crypto, {
    groupId: groupContext.groupId,
    epoch: groupContext.epoch,
    groupContext: encodeGroupContext(groupContext),
    senderDataSecret: keySchedule.senderDataSecret,
    ownLeaf: privatePath.leafIndex,
    signingKey: keys.privateKey,
    member,
  });
}

function decode(bytes: Uint8Array): MLSMessage {
  const decoded = decodeMlsMessage(bytes, 0);
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
