import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { backoffMs, type BackoffPolicy } from './backoff.js';

/** How attempts are spaced, and who stops them. */
export interface RedialOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly backoff: BackoffPolicy;
  readonly signal: AbortSignal;
  /** Settles when the link is there. */
  readonly attempt: () => Promise<void>;
  /** An attempt failed. False ends the attempts. */
  readonly failed: (reason: SlimError) => boolean;
}

/** Dials a link again whenever it is lost, with growing pauses. */
export class Redial {
  readonly #options: RedialOptions;
  #establishedAtMs = 0;
  /** Since a link lasted: one that is lost as soon as it is there does not begin with short pauses again. */
  #attempts = 0;

  constructor(options: RedialOptions) {
    this.#options = options;
  }

  /** The link is there. */
  established(): void {
    this.#establishedAtMs = this.#options.clock.now();
  }

  /** The link is not there: makes attempts, the first one after a pause, until one succeeds or it is stopped. */
  async again(): Promise<void> {
    const { clock, crypto, backoff, signal, attempt, failed } = this.#options;
    if (clock.now() - this.#establishedAtMs > backoff.maxMs) this.#attempts = 0;
    while (!signal.aborted) {
      const [byte = 0] = crypto.random(1);
      await pause(clock, backoffMs(backoff, this.#attempts, byte / 255), signal);
      if (signal.aborted) return;
      this.#attempts += 1;
      try {
        return await attempt();
      } catch (reason) {
        if (!signal.aborted && !failed(SlimError.from(reason, 'link-failed'))) return;
      }
    }
  }
}

/** Ends early, and leaves no timer, when the signal fires. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
