import { createECDH } from 'node:crypto';
import type { EcdhP256 } from '@nestjs-slim/core';
import { plainBytes } from './plain-bytes.js';

const curve = 'prime256v1';
const scalarBytes = 32;
const pointBytes = 65;
const uncompressed = 4;

/**
 * ECDH on P-256. By the older interface of Node.js, which takes keys as bytes: building a public key
 * object costs more than the agreement itself (bench case `session set-up`, MLS on).
 */
export const ecdhP256: EcdhP256 = {
  keyPair() {
    const side = createECDH(curve);
    const publicKey = plainBytes(side.generateKeys());
    return { publicKey, privateKey: scalarOf(side.getPrivateKey()) };
  },
  publicKey(privateKey) {
    return withKey(privateKey, (side) => plainBytes(side.getPublicKey()));
  },
  agree(privateKey, peerPublicKey) {
    if (peerPublicKey.length !== pointBytes || peerPublicKey[0] !== uncompressed) return undefined;
    return withKey(privateKey, (side) => plainBytes(side.computeSecret(peerPublicKey)));
  },
};

/** Undefined where OpenSSL refuses a key: a scalar out of range, or a point that is not on the curve. */
function withKey<Result>(
  privateKey: Uint8Array,
  use: (side: ReturnType<typeof createECDH>) => Result,
): Result | undefined {
  const side = createECDH(curve);
  try {
    side.setPrivateKey(privateKey);
    return use(side);
  } catch {
    // The answer the interface promises; what OpenSSL says of a key is in no error of ours.
    return undefined;
  }
}

/** Node.js leaves out leading zeros. */
function scalarOf(bytes: Buffer): Uint8Array {
  const scalar = new Uint8Array(scalarBytes);
  scalar.set(bytes, scalarBytes - bytes.length);
  bytes.fill(0);
  return scalar;
}
