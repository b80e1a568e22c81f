import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AgreementKey } from '@nestjs-slim/core';
import { plainBytes } from './plain-bytes.js';

const keyBytes = 32;
/** What a JSON Web Key has beside the raw key (RFC 8037). As DER in and out, keys take fifty times as long. */
const jwk = { kty: 'OKP', crv: 'X25519' };

/** A new key, for one agreement or a few. */
export function newX25519Key(): AgreementKey {
  return x25519Key(generateKeyPairSync('x25519').privateKey);
}

/** The agreement side of a private key. */
export function x25519Key(privateKey: KeyObject): AgreementKey {
  const { x: ownX = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    publicKey: Uint8Array.from(Buffer.from(ownX, 'base64url')),
    agree(peerPublicKey) {
      if (peerPublicKey.length !== keyBytes) return undefined;
      const x = Buffer.from(peerPublicKey).toString('base64url');
      try {
        const publicKey = createPublicKey({ key: { ...jwk, x }, format: 'jwk' });
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
