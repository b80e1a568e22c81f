import type { Crypto } from '../crypto/crypto.js';
import { TlsWriter } from './tls-writer.js';

/** Some 100 bytes each. */
const maxKnown = 4096;

/**
 * Signatures that were verified before, known by a hash of key, data and signature. Every member that joins
 * verifies the leaf of every other, and every member of one process verifies the same commits (bench case
 * `invite`, batched); what was found to be wrong is not remembered.
 */
export class VerifiedSignatures {
  readonly #crypto: Crypto;
  readonly #known = new Set<string>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  get size(): number {
    return this.#known.size;
  }

  /** As the platform's `verify`. */
  verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
    const id = this.#idOf(publicKey, data, signature);
    // A set keeps insertion order: putting it in again makes it the youngest.
    const isKnown = this.#known.delete(id);
    if (!isKnown && !this.#crypto.verify(publicKey, data, signature)) return false;
    this.#known.add(id);
    if (this.#known.size > maxKnown) this.#forgetOldest();
    return true;
  }

  /** Lengths are part of it, so that no byte can move from one field to the next. */
  #idOf(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): string {
    const all = new TlsWriter(publicKey.length + data.length + signature.length + 12)
      .opaque(publicKey)
      .opaque(signature)
      .opaque(data)
      .view();
    return String.fromCharCode(...this.#crypto.sha256(all));
  }

  #forgetOldest(): void {
    for (const oldest of this.#known) {
      this.#known.delete(oldest);
      return;
    }
  }
}
