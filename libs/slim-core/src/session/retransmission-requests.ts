import type { Cancel, Clock } from '../clock/clock.js';
import { isAfter } from './message-ids.js';
import type { SessionPolicy } from './session-policy.js';

/** Asks for missing messages until they come, a limit is reached, or nobody wants them any more. */
export class RetransmissionRequests {
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #events: { ask(id: number): void; giveUp(id: number): void };
  readonly #timers = new Map<number, Cancel>();

  constructor(
    clock: Clock,
    policy: SessionPolicy,
    events: { ask(id: number): void; giveUp(id: number): void },
  ) {
    this.#clock = clock;
    this.#policy = policy;
    this.#events = events;
  }

  /** Asks at once, and again at every interval. */
  start(id: number): void {
    if (this.#timers.has(id)) return;
    this.#arm(id, this.#policy.maxRetries);
    this.#events.ask(id);
  }

  /** The message came, or is known to be lost. */
  stop(id: number): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  /** Ids that are asked for, the oldest first. */
  get pending(): readonly number[] {
    return [...this.#timers.keys()].toSorted((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #arm(id: number, retriesLeft: number): void {
    const expire = (): void => {
      this.#timers.delete(id);
      if (retriesLeft === 0) return this.#events.giveUp(id);
      this.#arm(id, retriesLeft - 1);
      this.#events.ask(id);
    };
    this.#timers.set(id, this.#clock.schedule(this.#policy.intervalMs, expire));
  }
}
