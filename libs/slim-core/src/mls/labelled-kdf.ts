import type { Crypto } from '../crypto/crypto.js';
import { TlsWriter } from './tls-writer.js';

/** Key and nonce sizes of AES-128-GCM. */
export const keyBytes = 16;
export const nonceBytes = 12;

/** A label with the prefix that RFC 9420 puts before every one. */
export const label = (text: string): Uint8Array => new TextEncoder().encode(`MLS 1.0 ${text}`);

/**
 * ExpandWithLabel for one label and contexts of one length (RFC 9420 section 8): HKDF-Expand of a single
 * block. Everything but the context is written once, because five of these go into sealing a message and
 * five into opening it (bench case `one-way`, MLS on); `hkdfExpand` is its oracle in the tests.
 */
export class LabelledKdf {
  readonly #length: number;
  /** The KDFLabel and the counter of the block; the context is overwritten. */
  readonly #input: Uint8Array;
  readonly #contextAt: number;

  /** `length` is at most 32, `contextBytes` at most 63. */
  constructor(text: string, length: number, contextBytes: number) {
    const input = new TlsWriter(128)
      .uint16(length)
      .opaque(label(text))
      .opaque(new Uint8Array(contextBytes))
      .uint8(1);
    this.#length = length;
    this.#input = input.finish();
    this.#contextAt = this.#input.length - 1 - contextBytes;
  }

  expand(crypto: Crypto, secret: Uint8Array, context: Uint8Array): Uint8Array {
    this.#input.set(context, this.#contextAt);
    return crypto.hmacSha256(secret, this.#input).subarray(0, this.#length);
  }

  /** With a uint32 as the context: DeriveTreeSecret (RFC 9420 section 9). */
  derive(crypto: Crypto, secret: Uint8Array, generation: number): Uint8Array {
    const input = this.#input;
    const at = this.#contextAt;
    input[at] = generation >>> 24;
    input[at + 1] = generation >>> 16;
    input[at + 2] = generation >>> 8;
    input[at + 3] = generation;
    return crypto.hmacSha256(secret, input).subarray(0, this.#length);
  }
}
