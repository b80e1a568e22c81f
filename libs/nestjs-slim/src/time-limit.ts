import type { Cancel, Clock } from '@nestjs-slim/core';

/** Longer delays overflow the timers of Node.js, which then fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** Runs `task` after a delay; never when the delay is longer than timers can be, such as `Infinity`. */
export function timeLimit(clock: Clock, delayMs: number, task: () => void): Cancel {
  return delayMs > maxDelayMs ? () => undefined : clock.schedule(delayMs, task);
}
