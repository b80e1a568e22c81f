import type { Cancel, Clock } from '@nestjs-slim/core';

/** Longer delays overflow the timers of Node.js, which then fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** Runs `task` after a delay; never when the delay is longer than timers can be, such as `Infinity`. */
export function timeLimit(clock: Clock, delayMs: number, task: () => void): Cancel {
  return delayMs > maxDelayMs ? () => undefined : clock.schedule(delayMs, task);
}

/** Settles with the work, which must not fail, or when its time is over. */
export function settledWithin(
  clock: Clock,
  delayMs: number,
  work: Promise<unknown>,
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timeLimit(clock, delayMs, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
}
