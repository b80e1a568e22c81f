import {
  defaultCryptoProvider,
  getCiphersuiteFromName,
  type CiphersuiteImpl,
  type CiphersuiteName,
} from 'ts-mls';
import type { Crypto } from '../crypto/crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { SlimError } from '../errors/slim-error.js';

/** MLS_128_DHKEMP256_AES128GCM_SHA256_P256, the suite of SLIM (reference: MLS 1). */
export const suiteName: CiphersuiteName = 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256';

/**
 * The suite as the MLS library wants it: our platform's primitives, and the library's own HPKE around
 * WebCrypto. The library's default primitives are 20 to 30 times slower.
 */
export async function cipherSuite(crypto: Crypto): Promise<CiphersuiteImpl> {
  const { hpke } = await defaultCryptoProvider.getCiphersuiteImpl(
    getCiphersuiteFromName(suiteName),
  );
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
      verify: async (key, message, signature) => crypto.verify(key, message, signature),
      keygen: async () => {
        const { publicKey, privateKey } = crypto.signingKeyPair();
        return { publicKey, signKey: privateKey };
      },
    },
    hpke: {
      ...hpke,
      encryptAead: async (key, nonce, aad = none, plaintext) =>
        crypto.seal(key, nonce, aad, plaintext),
      decryptAead: async (key, nonce, aad = none, ciphertext) => {
        const plaintext = crypto.open(key, nonce, aad, ciphertext);
        if (!plaintext) throw new SlimError('mls-failure', 'a ciphertext is not authentic');
        return plaintext;
      },
    },
  };
}

const none = new Uint8Array(0);
