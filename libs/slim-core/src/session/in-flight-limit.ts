import type { SessionPolicy } from './session-policy.js';

const firstLimit = 32;
const leastLimit = 8;

/**
 * How many messages may be under way: more while they are acknowledged soon, half as many when they are
 * late. Receivers that work as fast as they can are not made faster by more, which only come later, and
 * in the end after their interval. Soon and late are measured by the interval, or by the shortest time
 * that was seen where the way is long.
 */
export class InFlightLimit {
  readonly #most: number;
  readonly #intervalMs: number;
  #limit: number;
  #shortestMs: number | undefined;
  #loweredAtMs = -Infinity;

  constructor({ maxInFlight, intervalMs }: SessionPolicy) {
    this.#most = maxInFlight;
    this.#intervalMs = intervalMs;
    this.#limit = Math.min(firstLimit, maxInFlight);
  }

  get current(): number {
    return this.#limit;
  }

  /** A message was acknowledged by everybody. */
  acknowledged(sentMs: number, nowMs: number): void {
    const tookMs = nowMs - sentMs;
    this.#shortestMs = Math.min(this.#shortestMs ?? tookMs, tookMs);
    const soonMs = Math.max(this.#intervalMs / 4, this.#shortestMs * 2);
    if (tookMs > soonMs) return this.waiting(sentMs, nowMs);
    if (this.#limit < this.#most) this.#limit += 1;
  }

  /** A message takes that long. Those sent before the limit was lowered the last time say nothing new. */
  waiting(sentMs: number, nowMs: number): void {
    const lateMs = Math.max(this.#intervalMs / 2, (this.#shortestMs ?? 0) * 4);
    if (nowMs - sentMs <= lateMs || sentMs < this.#loweredAtMs) return;
    this.#loweredAtMs = nowMs;
    this.#limit = Math.min(this.#most, Math.max(leastLimit, this.#limit >> 1));
  }
}
