import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { keyBytes, LabelledKdf, nonceBytes } from './labelled-kdf.js';

/** Key and nonce of one message. */
export interface MessageKey {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/**
 * How far ahead a message may be. Whoever missed more reads nothing more of that epoch: an outage of
 * seconds on a fast session without acknowledgements, or repetitions for others. The official peer takes
 * 1024; this many cost 60 ms, and a member of the group could demand them with a forged message.
 */
const maxForwardSteps = 16_384;
/** How many passed-over generations are kept for late messages. */
const maxSkipped = 1_024;

/** The application ratchet of one member in one epoch (RFC 9420 section 9.1). */
export class SecretRatchet {
  readonly #crypto: Crypto;
  #secret: Uint8Array;
  #generation: number;
  readonly #skipped = new Map<number, Uint8Array>();

  /** `secret` is the member's application ratchet secret of that generation; it is copied. */
  constructor(crypto: Crypto, secret: Uint8Array, generation = 0) {
    this.#crypto = crypto;
    this.#secret = secret.slice();
    this.#generation = generation;
  }

  /** The generation that comes next. */
  get generation(): number {
    return this.#generation;
  }

  /** The secret of that generation, a copy. Passed-over generations are not part of it. */
  get secret(): Uint8Array {
    return this.#secret.slice();
  }

  /** Gives up every generation before that one. */
  skipTo(generation: number): void {
    while (this.#generation < generation) this.#step();
  }

  /** The next key to send with. */
  next(): MessageKey & { readonly generation: number } {
    const generation = this.#generation;
    const key = this.#keyOf(this.#secret, generation);
    this.#step();
    return { ...key, generation };
  }

  /**
   * The key of a received message. Call `consume` once the message proved authentic: until then nothing is
   * given up, so a forged generation number costs a receiver no keys.
   * @throws SlimError `mls-failure` for a generation already used or too far ahead.
   */
  peek(generation: number): MessageKey {
    if (generation < this.#generation) {
      const secret = this.#skipped.get(generation);
      if (!secret) throw new SlimError('mls-failure', `generation ${generation} was used before`);
      return this.#keyOf(secret, generation);
    }
    if (generation - this.#generation > maxForwardSteps) {
      throw new SlimError('mls-failure', `generation ${generation} is too far ahead`);
    }
    let secret = this.#secret;
    for (let at = this.#generation; at < generation; at += 1) secret = this.#after(secret, at);
    return this.#keyOf(secret, generation);
  }

  /** Gives up the key of a generation, and keeps those it passed over for late messages. */
  consume(generation: number): void {
    if (generation < this.#generation) {
      this.#skipped.get(generation)?.fill(0);
      this.#skipped.delete(generation);
      return;
    }
    while (this.#generation < generation) {
      this.#skipped.set(this.#generation, this.#secret.slice());
      this.#step();
    }
    this.#step();
    for (const oldest of this.#skipped.keys()) {
      if (this.#skipped.size <= maxSkipped) break;
      this.#skipped.get(oldest)?.fill(0);
      this.#skipped.delete(oldest);
    }
  }

  #step(): void {
    const next = this.#after(this.#secret, this.#generation);
    this.#secret.fill(0);
    this.#secret = next;
    this.#generation += 1;
  }

  #after(secret: Uint8Array, generation: number): Uint8Array {
    return secretKdf.derive(this.#crypto, secret, generation);
  }

  #keyOf(secret: Uint8Array, generation: number): MessageKey {
    return {
      key: keyKdf.derive(this.#crypto, secret, generation),
      nonce: nonceKdf.derive(this.#crypto, secret, generation),
    };
  }
}

const generationBytes = 4;
const secretKdf = new LabelledKdf('secret', 32, generationBytes);
const keyKdf = new LabelledKdf('key', keyBytes, generationBytes);
const nonceKdf = new LabelledKdf('nonce', nonceBytes, generationBytes);
