import { createPrivateKey } from 'node:crypto';
import type { Crypto } from '@nestjs-slim/core';
import { nodeCrypto } from '../../libs/slim-platform-node/src/node-crypto.js';
import { x25519Key } from '../../libs/slim-platform-node/src/x25519.js';
import { toHex } from '../support/vectors.js';

/** PKCS#8 up to the raw key of X25519 (RFC 8410 section 7). */
const pkcs8Prefix = '302e020100300506032b656e04220420';

/** A platform that uses a recorded X25519 key where it would make one, and notes the keys it derives. */
export function recordedCrypto(privateKey: string): { crypto: Crypto; derived: string[] } {
  const der = Buffer.from(pkcs8Prefix + privateKey, 'hex');
  const key = x25519Key(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  const derived: string[] = [];
  const crypto: Crypto = {
    ...nodeCrypto,
    agreementKey: () => key,
    hkdfSha256: (...input) => {
      const output = nodeCrypto.hkdfSha256(...input);
      derived.push(toHex(output));
      return output;
    },
  };
  return { crypto, derived };
}
