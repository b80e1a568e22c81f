import { equalBytes } from '@noble/ciphers/utils.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Crypto } from '@nestjs-slim/core';
import { openAesGcm, sealAesGcm } from './aes-gcm.js';
import { ecdhP256, newP256KeyPair, signP256, verifyP256 } from './p256.js';
import { newX25519Key } from './x25519.js';

/** What a browser gives at a time (Web Cryptography section 10.1.1). */
const randomBytes = 65_536;

/**
 * The primitives of the core in plain JavaScript, because those of the browser are asynchronous and the
 * core verifies and opens a message on the stack that received it. Random numbers are the browser's.
 */
export const browserCrypto: Crypto = {
  random,
  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hkdfSha256: (ikm, salt, info, length) => hkdf(sha256, ikm, salt, info, length),
  agreementKey: newX25519Key,
  ecdhP256,
  signingKeyPair: newP256KeyPair,
  sign: signP256,
  verify: verifyP256,
  seal: sealAesGcm,
  open: openAesGcm,
  equal: equalBytes,
};

function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += randomBytes) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + randomBytes));
  }
  return bytes;
}
