import type { CiphersuiteImpl, CiphersuiteName, PrivateKey, PublicKey } from 'ts-mls';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { SlimError } from '../errors/slim-error.js';
import { Hpke } from './hpke.js';
import { keyBytes, nonceBytes } from './labelled-kdf.js';
import { VerifiedSignatures } from './verified-signatures.js';

/** MLS_128_DHKEMP256_AES128GCM_SHA256_P256, the suite of SLIM (reference: MLS 1). */
export const suiteName: CiphersuiteName = 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256';

/** One for all applications on a platform: members of one process see the same leaves and commits. */
const verifiedBefore = new WeakMap<Crypto, VerifiedSignatures>();

/**
 * The suite as the MLS library wants it, from our platform's primitives. The library's own are 20 to
 * 30 times slower.
 */
export function cipherSuite(crypto: Crypto): CiphersuiteImpl {
  let signatures = verifiedBefore.get(crypto);
  if (!signatures) verifiedBefore.set(crypto, (signatures = new VerifiedSignatures(crypto)));
  const verified = signatures;
  return {
    name: suiteName,
    rng: { randomBytes: (length) => crypto.random(length) },
    hash: {
      digest: async (data) => crypto.sha256(data),
      mac: async (key, data) => crypto.hmacSha256(key, data),
      verifyMac: async (key, mac, data) => crypto.equal(crypto.hmacSha256(key, data), mac),
    },
    kdf: {
      size: 32,
      extract: async (salt, ikm) => crypto.hmacSha256(salt, ikm),
      expand: async (prk, info, length) => hkdfExpand(crypto, prk, info, length),
    },
    signature: {
      sign: async (key, message) => crypto.sign(key, message),
      verify: async (key, message, signature) => verified.verify(key, message, signature),
      keygen: async () => {
        const { publicKey, privateKey } = crypto.signingKeyPair();
        return { publicKey, signKey: privateKey };
      },
    },
    hpke: hpkeOf(crypto),
  };
}

function hpkeOf(crypto: Crypto): CiphersuiteImpl['hpke'] {
  const hpke = new Hpke(crypto);
  return {
    keyLength: keyBytes,
    nonceLength: nonceBytes,
    seal: async (key, plaintext, info, aad = none) => hpke.seal(toBytes(key), info, aad, plaintext),
    open: async (...[key, enc, ct, info, aad = none]) =>
      hpke.open(toBytes(key), info, aad, { enc, ct }),
    generateKeyPair: async () => toKeys(hpke.generateKeyPair()),
    deriveKeyPair: async (ikm) => toKeys(hpke.deriveKeyPair(ikm)),
    importPrivateKey: async (bytes) => toKey<PrivateKey>(bytes),
    importPublicKey: async (bytes) => toKey<PublicKey>(bytes),
    exportPrivateKey: async (key) => toBytes(key),
    exportPublicKey: async (key) => toBytes(key),
    encryptAead: async (key, nonce, aad = none, plaintext) =>
      crypto.seal(key, nonce, aad, plaintext),
    decryptAead: async (key, nonce, aad = none, ciphertext) => {
      const plaintext = crypto.open(key, nonce, aad, ciphertext);
      if (!plaintext) throw new SlimError('mls-failure', 'a ciphertext is not authentic');
      return plaintext;
    },
    exportSecret: () => Promise.reject(noExternalCommits()),
    importSecret: () => Promise.reject(noExternalCommits()),
  };
}

const none = new Uint8Array(0);

/** The library hands keys back as it got them; to us they are their bytes. */
const toKey = <Key extends PrivateKey | PublicKey>(bytes: Uint8Array) => bytes as unknown as Key;
const toBytes = (key: PrivateKey | PublicKey) => key as unknown as Uint8Array;

function toKeys({ publicKey, privateKey }: SigningKeyPair) {
  return {
    publicKey: toKey<PublicKey>(publicKey),
    privateKey: toKey<PrivateKey>(privateKey),
  };
}

/** SLIM has none (reference: MLS 1). */
function noExternalCommits(): SlimError {
  return new SlimError('mls-failure', 'a channel takes no external commits');
}
