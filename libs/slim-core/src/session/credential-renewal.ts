import type { Cancel, Clock } from '../clock/clock.js';

/** Well before the hour after which native members refuse a credential. */
const renewalMs = 50 * 60_000;

/** When the credential in the own leaf is renewed, so that members can still be added and removed (MLS 9.3). */
export class CredentialRenewal {
  readonly #clock: Clock;
  readonly #renew: () => void;
  #renewedAtMs: number;
  #cancel: Cancel | undefined;

  /** Nothing happens before `start`. */
  constructor(clock: Clock, renewedAtMs: number, renew: () => void) {
    this.#clock = clock;
    this.#renewedAtMs = renewedAtMs;
    this.#renew = renew;
  }

  get renewedAtMs(): number {
    return this.#renewedAtMs;
  }

  start(): void {
    const dueMs = this.#renewedAtMs + renewalMs - this.#clock.now();
    this.#cancel = this.#clock.schedule(Math.max(0, dueMs), () => {
      this.#renewedAtMs = this.#clock.now();
      this.start();
      this.#renew();
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
