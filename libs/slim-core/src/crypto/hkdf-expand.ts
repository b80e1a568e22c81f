import type { Crypto } from './crypto.js';

const hashBytes = 32;

/** HKDF-Expand with SHA-256 (RFC 5869 section 2.3); `length` is at most 255 × 32 bytes. */
export function hkdfExpand(
  crypto: Crypto,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  if (length <= hashBytes) return firstBlock(crypto, prk, info).subarray(0, length);
  const out = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let at = 0, counter = 1; at < length; at += hashBytes, counter += 1) {
    const input = new Uint8Array(block.length + info.length + 1);
    input.set(block);
    input.set(info, block.length);
    input[input.length - 1] = counter;
    block = new Uint8Array(crypto.hmacSha256(prk, input));
    out.set(block.subarray(0, Math.min(hashBytes, length - at)), at);
  }
  return out;
}

/** All that a key or a nonce takes; four of these go into every message. */
function firstBlock(crypto: Crypto, prk: Uint8Array, info: Uint8Array): Uint8Array {
  const input = new Uint8Array(info.length + 1);
  input.set(info);
  input[info.length] = 1;
  return crypto.hmacSha256(prk, input);
}
