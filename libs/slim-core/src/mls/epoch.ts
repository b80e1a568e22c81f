import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { keyBytes, label, LabelledKdf, nonceBytes } from './labelled-kdf.js';
import { SecretRatchet } from './secret-ratchet.js';
import { TlsReader } from './tls-reader.js';
import { TlsWriter } from './tls-writer.js';

/** One member as this epoch knows it. */
export interface EpochMember {
  /** Subject of the member's credential. */
  readonly subject: string;
  readonly publicKey: Uint8Array;
  /** Secret of the member's application ratchet, of generation 0 unless said otherwise. */
  readonly applicationSecret: Uint8Array;
  readonly generation?: number;
}

/** What protects the application messages of one epoch; taken from the MLS library once per epoch. */
export interface EpochSecrets {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  /** The encoded GroupContext, which every signature covers. */
  readonly groupContext: Uint8Array;
  readonly senderDataSecret: Uint8Array;
  readonly ownLeaf: number;
  readonly signingKey: Uint8Array;
  readonly member: (leaf: number) => EpochMember | undefined;
}

/** A decrypted application message. */
export interface Opened {
  readonly plaintext: Uint8Array;
  /** What the sender authenticated beside the payload; a view of the message. */
  readonly authenticatedData: Uint8Array;
  readonly senderSubject: string;
}

const mls10 = 1;
const privateMessageFormat = 2;
const applicationContent = 1;
const memberSender = 1;
const padToBytes = 256;

/**
 * Seals and opens the application messages of one epoch (RFC 9420 sections 6 and 9), synchronously.
 * Written by hand because it is synchronous and spares the copies that the library makes of its state
 * (bench case `one-way`, MLS on); the library is its oracle in the tests.
 */
export class Epoch {
  readonly #crypto: Crypto;
  readonly #secrets: EpochSecrets;
  readonly #ratchets = new Map<number, SecretRatchet>();
  readonly #own: SecretRatchet;
  /** Group, epoch and content type: how both AADs and the message itself begin. */
  readonly #head: Uint8Array;
  /** How the signed bytes begin, up to the leaf of the sender. */
  readonly #signedHead: Uint8Array;
  /** What was written last is only good until the next is; two, where one goes into the other. */
  readonly #scratch = new TlsWriter();
  readonly #content = new TlsWriter();

  constructor(crypto: Crypto, secrets: EpochSecrets) {
    this.#crypto = crypto;
    this.#secrets = secrets;
    const { groupId, epoch } = secrets;
    this.#head = this.#scratch.opaque(groupId).uint64(epoch).uint8(applicationContent).finish();
    this.#signedHead = this.#scratch
      .reset()
      .uint16(mls10)
      .uint16(privateMessageFormat)
      .opaque(groupId)
      .uint64(epoch)
      .uint8(memberSender)
      .finish();
    this.#own = this.#newRatchet(secrets.ownLeaf);
  }

  /** Of the message that is sealed next. */
  get generation(): number {
    return this.#own.generation;
  }

  /** Leaves out generations that may have been used before a restart. */
  skipTo(generation: number): void {
    this.#own.skipTo(generation);
  }

  /** A member as it is now: what was used up is not part of it. */
  memberNow(leaf: number): EpochMember | undefined {
    const member = this.#secrets.member(leaf);
    if (!member) return undefined;
    const { secret, generation } =
      leaf === this.#secrets.ownLeaf ? this.#own : this.#ratchetOf(leaf);
    return { ...member, applicationSecret: secret, generation };
  }

  /** What it was made from, but for the members. */
  get secrets(): Omit<EpochSecrets, 'member'> {
    return this.#secrets;
  }

  /** Returns a complete MLSMessage. */
  seal(plaintext: Uint8Array, authenticatedData: Uint8Array): Uint8Array {
    const { signingKey, ownLeaf } = this.#secrets;
    const signature = this.#crypto.sign(
      signingKey,
      this.#signedBytes(ownLeaf, plaintext, authenticatedData),
    );
    const content = this.#content.reset().opaque(plaintext).opaque(signature);
    const padded = content.padTo(padToBytes).view();

    const { key, nonce, generation } = this.#own.next();
    const reuseGuard = this.#crypto.random(4);
    xorInto(nonce, reuseGuard);
    const aad = this.#scratch.reset().raw(this.#head).opaque(authenticatedData).view();
    const ciphertext = this.#crypto.seal(key, nonce, aad, padded);
    const senderData = this.#scratch
      .reset()
      .uint32(ownLeaf)
      .uint32(generation)
      .raw(reuseGuard)
      .view();
    const sender = this.#senderDataKey(ciphertext);
    const sealedSender = this.#crypto.seal(sender.key, sender.nonce, this.#head, senderData);
    return this.#scratch
      .reset()
      .uint16(mls10)
      .uint16(privateMessageFormat)
      .raw(this.#head)
      .opaque(authenticatedData)
      .opaque(sealedSender)
      .opaque(ciphertext)
      .finish();
  }

  /** @throws SlimError `mls-failure` when the message is not authentic or was opened before. */
  open(message: PrivateMessage): Opened {
    const { authenticatedData, ciphertext } = message;
    const sender = this.#openSenderData(message);
    const member = this.#secrets.member(sender.leaf);
    if (!member) throw new SlimError('mls-failure', `no member at leaf ${sender.leaf}`);
    const ratchet = this.#ratchetOf(sender.leaf);
    const { key, nonce } = ratchet.peek(sender.generation);
    xorInto(nonce, sender.reuseGuard);
    const aad = this.#scratch.reset().raw(this.#head).opaque(authenticatedData).view();
    const content = this.#crypto.open(key, nonce, aad, ciphertext);
    if (!content) throw new SlimError('mls-failure', 'an application message is not authentic');
    ratchet.consume(sender.generation);

    const reader = new TlsReader(content);
    const plaintext = reader.opaque();
    const signature = reader.opaque();
    if (reader.rest().some((byte) => byte !== 0)) {
      throw new SlimError('mls-failure', 'the padding of an application message is not zero');
    }
    const signed = this.#signedBytes(sender.leaf, plaintext, authenticatedData);
    if (!this.#crypto.verify(member.publicKey, signed, signature)) {
      throw new SlimError('mls-failure', 'the signature of an application message is wrong');
    }
    return { plaintext, authenticatedData, senderSubject: member.subject };
  }

  #openSenderData({ ciphertext, encryptedSenderData }: PrivateMessage): {
    readonly leaf: number;
    readonly generation: number;
    readonly reuseGuard: Uint8Array;
  } {
    const { key, nonce } = this.#senderDataKey(ciphertext);
    const aad = this.#head;
    const senderData = this.#crypto.open(key, nonce, aad, encryptedSenderData);
    if (!senderData) throw new SlimError('mls-failure', 'the sender data is not authentic');
    const reader = new TlsReader(senderData);
    return { leaf: reader.uint32(), generation: reader.uint32(), reuseGuard: reader.raw(4) };
  }

  #senderDataKey(ciphertext: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
    const { senderDataSecret: secret } = this.#secrets;
    const sample = ciphertext.subarray(0, sampleBytes);
    // A signature alone is longer.
    if (sample.length < sampleBytes)
      throw new SlimError('mls-failure', 'a ciphertext is too short');
    return {
      key: senderKey.expand(this.#crypto, secret, sample),
      nonce: senderNonce.expand(this.#crypto, secret, sample),
    };
  }

  /** SignContent over FramedContentTBS (RFC 9420 sections 5.1.2 and 6.1); good until the next is written. */
  #signedBytes(leaf: number, plaintext: Uint8Array, authenticatedData: Uint8Array): Uint8Array {
    const { groupContext } = this.#secrets;
    const content = this.#content
      .reset()
      .raw(this.#signedHead)
      .uint32(leaf)
      .opaque(authenticatedData)
      .uint8(applicationContent)
      .opaque(plaintext)
      .raw(groupContext)
      .view();
    return this.#scratch.reset().opaque(signLabel).opaque(content).view();
  }

  #ratchetOf(leaf: number): SecretRatchet {
    let ratchet = this.#ratchets.get(leaf);
    if (!ratchet) this.#ratchets.set(leaf, (ratchet = this.#newRatchet(leaf)));
    return ratchet;
  }

  #newRatchet(leaf: number): SecretRatchet {
    const member = this.#secrets.member(leaf);
    if (!member) throw new SlimError('mls-failure', `no member at leaf ${leaf}`);
    return new SecretRatchet(this.#crypto, member.applicationSecret, member.generation);
  }
}

const signLabel = label('FramedContentTBS');
/** What of a ciphertext its sender data is keyed with: as much as a hash has (RFC 9420 section 6.3.2). */
const sampleBytes = 32;
const senderKey = new LabelledKdf('key', keyBytes, sampleBytes);
const senderNonce = new LabelledKdf('nonce', nonceBytes, sampleBytes);

/** An application message before it is decrypted; views of its bytes. */
export interface PrivateMessage {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly authenticatedData: Uint8Array;
  readonly encryptedSenderData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** @throws SlimError `mls-failure` for anything but an MLSMessage with an application message. */
export function parseApplicationMessage(bytes: Uint8Array): PrivateMessage {
  const reader = new TlsReader(bytes);
  const version = reader.uint16();
  const format = reader.uint16();
  if (version !== mls10 || format !== privateMessageFormat) {
    throw new SlimError('mls-failure', `expected a private MLS message, got format ${format}`);
  }
  const groupId = reader.opaque();
  const epoch = reader.uint64();
  const contentType = reader.uint8();
  if (contentType !== applicationContent) {
    throw new SlimError('mls-failure', `expected an application message, got type ${contentType}`);
  }
  const authenticatedData = reader.opaque();
  const encryptedSenderData = reader.opaque();
  const ciphertext = reader.opaque();
  // What is behind it is in no signature.
  const { length } = reader.rest();
  if (length > 0) throw new SlimError('mls-failure', `${length} bytes behind an MLS message`);
  return { groupId, epoch, authenticatedData, encryptedSenderData, ciphertext };
}

/** The first bytes of a nonce take the reuse guard (RFC 9420 section 6.3.1). */
function xorInto(nonce: Uint8Array, reuseGuard: Uint8Array): void {
  reuseGuard.forEach((byte, at) => {
    nonce[at] = (nonce[at] ?? 0) ^ byte;
  });
}
