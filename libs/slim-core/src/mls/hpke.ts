import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { SlimError } from '../errors/slim-error.js';
import { keyBytes, nonceBytes } from './labelled-kdf.js';

/** An encapsulated key and what was encrypted to it. */
export interface HpkeCiphertext {
  readonly enc: Uint8Array;
  readonly ct: Uint8Array;
}

/** A key and a nonce for one message. */
interface MessageContext {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const none = new Uint8Array(0);
const hashBytes = 32;
const scalarBytes = 32;
/** DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (RFC 9180 section 7). */
const kemSuite = Uint8Array.of(...utf8('KEM'), 0, 0x10);
const hpkeSuite = Uint8Array.of(...utf8('HPKE'), 0, 0x10, 0, 1, 0, 1);
const baseMode = 0;

/** What LabeledExtract and LabeledExpand put before every input (section 4). */
const labelled = (suite: Uint8Array, label: string): Uint8Array =>
  concat(utf8('HPKE-v1'), suite, utf8(label));
const labels = {
  keyPair: labelled(kemSuite, 'dkp_prk'),
  candidate: labelled(kemSuite, 'candidate'),
  agreed: labelled(kemSuite, 'eae_prk'),
  sharedSecret: labelled(kemSuite, 'shared_secret'),
  pskIdHash: labelled(hpkeSuite, 'psk_id_hash'),
  infoHash: labelled(hpkeSuite, 'info_hash'),
  secret: labelled(hpkeSuite, 'secret'),
  key: labelled(hpkeSuite, 'key'),
  baseNonce: labelled(hpkeSuite, 'base_nonce'),
};

/**
 * HPKE in base mode, for one message at a time (RFC 9180), from the primitives of the platform. The one
 * that the MLS library brings takes some thirty asynchronous calls a message, which is most of what a session
 * costs to open (bench case `session set-up`, MLS on); it is the oracle in the tests.
 */
export class Hpke {
  readonly #crypto: Crypto;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  generateKeyPair(): SigningKeyPair {
    return this.#crypto.ecdhP256.keyPair();
  }

  /** DeriveKeyPair (section 7.1.3). */
  deriveKeyPair(ikm: Uint8Array): SigningKeyPair {
    const prk = this.#extract(none, labels.keyPair, ikm);
    for (let counter = 0; counter < 256; counter += 1) {
      const candidate = Uint8Array.of(counter);
      const privateKey = this.#expand(prk, labels.candidate, candidate, scalarBytes);
      // Undefined for a scalar that is 0 or not below the order: the next one, says the section.
      const publicKey = this.#crypto.ecdhP256.publicKey(privateKey);
      if (publicKey) return { publicKey, privateKey };
    }
    throw new SlimError('mls-failure', 'no key pair can be derived from a secret');
  }

  /** @throws SlimError `mls-failure` for a key that is no point of the curve */
  seal(
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): HpkeCiphertext {
    const ephemeral = this.generateKeyPair();
    const enc = ephemeral.publicKey;
    const { key, nonce } = this.#messageContext(
      this.#sharedSecret(ephemeral.privateKey, publicKey, enc, publicKey),
      info,
    );
    ephemeral.privateKey.fill(0);
    return { enc, ct: this.#crypto.seal(key, nonce, aad, plaintext) };
  }

  /** @throws SlimError `mls-failure` when it was not sealed to that key, or was changed */
  open(
    privateKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    { enc, ct }: HpkeCiphertext,
  ): Uint8Array {
    const publicKey = this.#crypto.ecdhP256.publicKey(privateKey);
    if (!publicKey) throw new SlimError('mls-failure', 'a private key of the group is not usable');
    const { key, nonce } = this.#messageContext(
      this.#sharedSecret(privateKey, enc, enc, publicKey),
      info,
    );
    const plaintext = this.#crypto.open(key, nonce, aad, ct);
    if (!plaintext) throw new SlimError('mls-failure', 'a sealed secret is not authentic');
    return plaintext;
  }

  /** Encap and Decap, which differ only in who knows which private key (section 4.1). */
  #sharedSecret(
    own: Uint8Array,
    peer: Uint8Array,
    enc: Uint8Array,
    receiver: Uint8Array,
  ): Uint8Array {
    const agreed = this.#crypto.ecdhP256.agree(own, peer);
    if (!agreed) throw new SlimError('mls-failure', 'a public key of the group is not usable');
    const prk = this.#extract(none, labels.agreed, agreed);
    agreed.fill(0);
    return this.#expand(prk, labels.sharedSecret, concat(enc, receiver), hashBytes);
  }

  /** KeySchedule without a PSK; the first message of a context has the base nonce (section 5.1). */
  #messageContext(sharedSecret: Uint8Array, info: Uint8Array): MessageContext {
    const pskIdHash = this.#extract(none, labels.pskIdHash, none);
    const infoHash = this.#extract(none, labels.infoHash, info);
    const context = concat(Uint8Array.of(baseMode), pskIdHash, infoHash);
    const secret = this.#extract(sharedSecret, labels.secret, none);
    return {
      key: this.#expand(secret, labels.key, context, keyBytes),
      nonce: this.#expand(secret, labels.baseNonce, context, nonceBytes),
    };
  }

  /** LabeledExtract (section 4). */
  #extract(salt: Uint8Array, label: Uint8Array, ikm: Uint8Array): Uint8Array {
    return this.#crypto.hmacSha256(salt, concat(label, ikm));
  }

  /** LabeledExpand (section 4). */
  #expand(prk: Uint8Array, label: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    const lengthPrefix = Uint8Array.of(length >>> 8, length);
    return hkdfExpand(this.#crypto, prk, concat(lengthPrefix, label, info), length);
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
