import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Crypto } from '@nestjs-slim/core';
import { plainBytes } from './plain-bytes.js';

/** 16 bytes for messages, 32 for what is kept in a store. */
const algorithmOf = (key: Uint8Array) => (key.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm');
const tagBytes = 16;

/** Encrypts; the result is the ciphertext and, behind it, the tag. */
export const sealAesGcm: Crypto['seal'] = (key, nonce, aad, plaintext) => {
  const cipher = createCipheriv(algorithmOf(key), key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad);
  const sealed = new Uint8Array(plaintext.length + tagBytes);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
};

/** Decrypts what `sealAesGcm` returned; undefined when anything about it was changed. */
export const openAesGcm: Crypto['open'] = (key, nonce, aad, ciphertext) => {
  const length = ciphertext.length - tagBytes;
  if (length < 0) return undefined;
  const decipher = createDecipheriv(algorithmOf(key), key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(length));
  const plaintext = decipher.update(ciphertext.subarray(0, length));
  try {
    decipher.final();
  } catch {
    // The tag does not match: the answer the interface promises.
    return undefined;
  }
  return plainBytes(plaintext);
};
