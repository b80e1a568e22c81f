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
  /** Attempts that were made before, by which the pauses have grown; none unless given. */
  readonly attempts?: number;
  /** An attempt failed. False ends the attempts. */
  readonly failed: (reason: SlimError) => boolean;
}

/** Makes attempts with growing pauses, the first one after a pause, until one succeeds or it is stopped. */
export async function redial(
  attempt: () => Promise<void>,
  { clock, crypto, backoff, signal, attempts = 0, failed }: RedialOptions,
): Promise<void> {
  for (let made = attempts; !signal.aborted; made += 1) {
    const [byte = 0] = crypto.random(1);
    await pause(clock, backoffMs(backoff, made, byte / 255), signal);
    if (signal.aborted) return;
    try {
      return await attempt();
    } catch (reason) {
      if (!signal.aborted && !failed(SlimError.from(reason, 'link-failed'))) return;
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
