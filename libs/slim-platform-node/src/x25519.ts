import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AgreementKey } from '@nestjs-slim/core';
import { plainBytes } from './plain-bytes.js';

const keyBytes = 32;
/** SubjectPublicKeyInfo up to the raw key (RFC 8410 section 4). */
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');

/** A new key, for one agreement or a few. */
export function newX25519Key(): AgreementKey {
  return x25519Key(generateKeyPairSync('x25519').privateKey);
}

/** The agreement side of a private key. */
export function x25519Key(privateKey: KeyObject): AgreementKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: plainBytes(spki.subarray(spkiPrefix.length)),
    agree(peerPublicKey) {
      if (peerPublicKey.length !== keyBytes) return undefined;
      const key = Buffer.concat([spkiPrefix, peerPublicKey]);
      try {
        const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
        return contributory(plainBytes(diffieHellman({ privateKey, publicKey })));
      } catch {
        // OpenSSL refuses points of low order: that is a peer key that is not usable, nothing else.
        return undefined;
      }
    },
  };
}

/** An all-zero secret does not depend on our key (RFC 7748 section 6.1). */
function contributory(secret: Uint8Array): Uint8Array | undefined {
  return secret.some((byte) => byte !== 0) ? secret : undefined;
}
