import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { SlimError, type SigningKeyPair } from '@nestjs-slim/core';
import { KeyCache } from './key-cache.js';
import { plainBytes } from './plain-bytes.js';

const scalarBytes = 32;
const zero = Buffer.alloc(scalarBytes);
const order = Buffer.from(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'hex',
);
/** PKCS#8 with an ECPrivateKey that leaves out the point, up to the scalar (RFC 5915). */
const pkcs8Prefix = Buffer.from(
  '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
  'hex',
);
/** SubjectPublicKeyInfo up to the point, by the form of the point (RFC 5480). */
const spkiUncompressed = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
const spkiCompressed = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');

// Building a public key costs 270 us, twice a verification (reference: interop notes 7.3). A node sees
// the keys of all its peers, but signs with a few of its own.
const publicKeys = new KeyCache<KeyObject>(4096);
/** By the array itself: a secret is not kept in a string, and goes when its owner does. */
const privateKeys = new WeakMap<Uint8Array, KeyObject>();

/** A new key pair on P-256. */
export function newP256KeyPair(): SigningKeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return {
    publicKey: Uint8Array.from(Buffer.concat(point)),
    privateKey: Uint8Array.from(Buffer.from(d, 'base64url')),
  };
}

/**
 * ECDSA with SHA-256, ASN.1 DER. A scalar shorter than 32 bytes lost its leading zeros.
 * The array must not be changed afterwards.
 * @throws SlimError `invalid-config` when the scalar is not a P-256 private key
 */
export function signP256(privateKey: Uint8Array, data: Uint8Array): Uint8Array {
  let key = privateKeys.get(privateKey);
  if (!key) privateKeys.set(privateKey, (key = importScalar(privateKey)));
  return plainBytes(sign('sha256', data, key));
}

/** True for a good signature of the key; false for a bad one and for a key that is no point. */
export function verifyP256(point: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  const prefix = spkiPrefix(point);
  if (!prefix) return false;
  const id = Buffer.from(point.buffer, point.byteOffset, point.length).toString('latin1');
  try {
    const key = publicKeys.get(id, () => importPoint(prefix, point));
    return verify('sha256', data, key, signature);
  } catch {
    // Not on the curve. The caller's answer is the same as for a wrong signature.
    return false;
  }
}

function importScalar(scalar: Uint8Array): KeyObject {
  if (scalar.length > scalarBytes) throw unusable(scalar);
  const padded = Buffer.concat([Buffer.alloc(scalarBytes - scalar.length), scalar]);
  const key = Buffer.concat([pkcs8Prefix, padded]);
  try {
    // OpenSSL imports a scalar out of range without a word.
    if (padded.equals(zero) || padded.compare(order) >= 0) throw unusable(scalar);
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    padded.fill(0);
    key.fill(0);
  }
}

/** Says nothing of the key but its length and has no cause: a secret is never part of an error. */
function unusable(scalar: Uint8Array): SlimError {
  const what = `expected a P-256 private key, got ${scalar.length} bytes that are none`;
  return new SlimError('invalid-config', what);
}

function spkiPrefix(point: Uint8Array): Buffer | undefined {
  const form = point[0];
  if (point.length === 65 && form === 4) return spkiUncompressed;
  if (point.length === 33 && (form === 2 || form === 3)) return spkiCompressed;
  return undefined;
}

function importPoint(prefix: Buffer, point: Uint8Array): KeyObject {
  const key = Buffer.concat([prefix, point]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}
