import { x25519 } from '@noble/curves/ed25519.js';
import type { AgreementKey } from '@nestjs-slim/core';

const keyBytes = 32;

/** A new key, for one agreement or a few. */
export function newX25519Key(): AgreementKey {
  return x25519Key(x25519.utils.randomSecretKey());
}

/** The agreement side of a private key. */
export function x25519Key(privateKey: Uint8Array): AgreementKey {
  return {
    publicKey: x25519.getPublicKey(privateKey),
    agree(peerPublicKey) {
      if (peerPublicKey.length !== keyBytes) return undefined;
      try {
        return x25519.getSharedSecret(privateKey, peerPublicKey);
      } catch {
        // A point of low order, whose secret would not depend on our key (RFC 7748 section 6.1).
        return undefined;
      }
    },
  };
}
