import { checkPayload } from './numbered-payload.mjs';
import { nowMs } from './spell.mjs';

/** How long nothing may arrive before the rest counts as lost. */
const silenceMs = 10_000;

/** Counts the messages of a session as they arrive, and fails at the first one out of turn. */
export class Arrivals {
  #size;
  #count = 0;
  #lastAtMs = 0;
  /** @type {Error | undefined} */
  #failure;
  #expected = Infinity;
  #wake = () => {};

  /** @param {number} size bytes of every payload */
  constructor(size) {
    this.#size = size;
  }

  /**
   * Reads until the session ends; a failure shows at the next `all`.
   * @param {AsyncIterable<{ readonly payload: Uint8Array }>} messages
   */
  async read(messages) {
    try {
      for await (const { payload } of messages) {
        checkPayload(payload, this.#count, this.#size);
        this.#lastAtMs = nowMs();
        this.#count += 1;
        if (this.#count === this.#expected) this.#wake();
      }
    } catch (reason) {
      this.#failure = /** @type {Error} */ (reason);
      this.#wake();
    }
  }

  /**
   * Settles with the time of the last one when that many have arrived since the start, and no more.
   * @param {number} total
   */
  async all(total) {
    this.#expected = total;
    for (let before = -1; this.#count < total && this.#count > before && !this.#failure;) {
      before = this.#count;
      await this.#someTime();
    }
    if (this.#failure) throw this.#failure;
    if (this.#count !== total) throw new Error(`${this.#count} of ${total} messages arrived`);
    return this.#lastAtMs;
  }

  /** Settles when the last one arrived, or after a while. */
  #someTime() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, silenceMs);
      this.#wake = () => resolve(clearTimeout(timer));
    });
  }
}
