import { p256 } from '@noble/curves/nist.js';
import { SlimError, type EcdhP256, type SigningKeyPair } from '@nestjs-slim/core';

const scalarBytes = 32;
const pointBytes = 65;
const uncompressed = 4;

/** As OpenSSL and the official peers write and take signatures: DER, and either half of the range. */
const signature = { format: 'der', lowS: false } as const;

/** A new key pair on P-256. */
export function newP256KeyPair(): SigningKeyPair {
  const privateKey = p256.utils.randomSecretKey();
  return { publicKey: p256.getPublicKey(privateKey, false), privateKey };
}

/**
 * ECDSA with SHA-256, ASN.1 DER. A scalar shorter than 32 bytes lost its leading zeros.
 * @throws SlimError `invalid-config` when the scalar is not a P-256 private key
 */
export function signP256(privateKey: Uint8Array, data: Uint8Array): Uint8Array {
  const scalar = new Uint8Array(scalarBytes);
  try {
    if (privateKey.length > scalarBytes) throw unusable(privateKey);
    scalar.set(privateKey, scalarBytes - privateKey.length);
    if (!p256.utils.isValidSecretKey(scalar)) throw unusable(privateKey);
    return p256.sign(data, scalar, signature);
  } finally {
    scalar.fill(0);
  }
}

/** True for a good signature of the key; false for a bad one and for a key that is no point. */
export function verifyP256(point: Uint8Array, data: Uint8Array, signed: Uint8Array): boolean {
  try {
    return p256.verify(signed, data, point, signature);
  } catch {
    // No point or no signature. The caller's answer is the same as for a wrong signature.
    return false;
  }
}

/** ECDH on P-256. */
export const ecdhP256: EcdhP256 = {
  keyPair: newP256KeyPair,
  publicKey(privateKey) {
    if (!p256.utils.isValidSecretKey(privateKey)) return undefined;
    return p256.getPublicKey(privateKey, false);
  },
  agree(privateKey, peerPublicKey) {
    if (peerPublicKey.length !== pointBytes || peerPublicKey[0] !== uncompressed) return undefined;
    try {
      // The point in its compressed form is a sign and the x coordinate.
      return p256.getSharedSecret(privateKey, peerPublicKey).slice(1);
    } catch {
      // A scalar out of range, or a point that is not on the curve: the answer the interface promises.
      return undefined;
    }
  },
};

/** Says nothing of the key but its length and has no cause: a secret is never part of an error. */
function unusable(scalar: Uint8Array): SlimError {
  const what = `expected a P-256 private key, got ${scalar.length} bytes that are none`;
  return new SlimError('invalid-config', what);
}
