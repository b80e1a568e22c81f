import type { Cancel, Clock } from '../clock/clock.js';
import type { SessionPolicy } from './session-policy.js';

/**
 * Tells the other side that this one lives when nothing else did, and notices when the other side is
 * silent for too long (reference: sessions 9).
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #events: { beat(): void; lost(): void; isConnected(): boolean };
  #cancel: Cancel | undefined;
  #spoke = false;
  #silentIntervals = 0;

  constructor(
    clock: Clock,
    policy: SessionPolicy,
    events: { beat(): void; lost(): void; isConnected(): boolean },
  ) {
    this.#clock = clock;
    this.#policy = policy;
    this.#events = events;
    this.#arm();
  }

  /** This side sent something that shows it lives. */
  spoke(): void {
    this.#spoke = true;
  }

  /** Anything came from the other side. */
  heard(): void {
    this.#silentIntervals = 0;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel = this.#clock.schedule(this.#policy.heartbeatMs, () => this.#tick());
  }

  #tick(): void {
    // Without a link of our own, silence says nothing about the other side.
    this.#silentIntervals = this.#events.isConnected() ? this.#silentIntervals + 1 : 0;
    if (this.#silentIntervals > this.#policy.maxSilentIntervals) return this.#events.lost();
    if (!this.#spoke) this.#events.beat();
    this.#spoke = false;
    this.#arm();
  }
}
