import type { Crypto } from '../crypto/crypto.js';
import { hkdfExpand } from '../crypto/hkdf-expand.js';
import { TlsWriter } from './tls-writer.js';

/** Key and nonce sizes of AES-128-GCM. */
export const keyBytes = 16;
export const nonceBytes = 12;

/** A label with the prefix that RFC 9420 puts before every one. */
export const label = (text: string): Uint8Array => new TextEncoder().encode(`MLS 1.0 ${text}`);

/** ExpandWithLabel (RFC 9420 section 8). */
export function expandWithLabel(
  crypto: Crypto,
  secret: Uint8Array,
  output: { readonly label: Uint8Array; readonly context: Uint8Array; readonly length: number },
): Uint8Array {
  const info = new TlsWriter(96)
    .uint16(output.length)
    .opaque(output.label)
    .opaque(output.context)
    .finish();
  return hkdfExpand(crypto, secret, info, output.length);
}
