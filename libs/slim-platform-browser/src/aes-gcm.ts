import { gcm } from '@noble/ciphers/aes.js';
import type { Crypto } from '@nestjs-slim/core';

const tagBytes = 16;

/** Encrypts; the result is the ciphertext and, behind it, the tag. */
export const sealAesGcm: Crypto['seal'] = (key, nonce, aad, plaintext) =>
  gcm(key, nonce, aad).encrypt(plaintext);

/** Decrypts what `sealAesGcm` returned; undefined when anything about it was changed. */
export const openAesGcm: Crypto['open'] = (key, nonce, aad, ciphertext) => {
  if (ciphertext.length < tagBytes) return undefined;
  const cipher = gcm(key, nonce, aad);
  try {
    return cipher.decrypt(ciphertext);
  } catch {
    // The tag does not match: the answer the interface promises.
    return undefined;
  }
};
