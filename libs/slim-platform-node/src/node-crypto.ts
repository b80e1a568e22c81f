import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Crypto } from '@nestjs-slim/core';
import { openAesGcm, sealAesGcm } from './aes-gcm.js';
import { ecdhP256 } from './ecdh-p256.js';
import { newP256KeyPair, signP256, verifyP256 } from './p256.js';
import { plainBytes } from './plain-bytes.js';
import { RandomPool } from './random-pool.js';
import { newX25519Key } from './x25519.js';

const pool = new RandomPool();

/** The primitives of the core on `node:crypto`. Key objects are cached, so verifying again is cheap. */
export const nodeCrypto: Crypto = {
  random: (length) => pool.take(length),
  sha256: (data) => plainBytes(createHash('sha256').update(data).digest()),
  hmacSha256: (key, data) => plainBytes(createHmac('sha256', key).update(data).digest()),
  hkdfSha256: (ikm, salt, info, length) =>
    new Uint8Array(hkdfSync('sha256', ikm, salt, info, length)),
  agreementKey: newX25519Key,
  ecdhP256,
  signingKeyPair: newP256KeyPair,
  sign: signP256,
  verify: verifyP256,
  seal: sealAesGcm,
  open: openAesGcm,
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
