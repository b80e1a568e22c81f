import type { Cancel, Clock } from '../clock/clock.js';
import type { TokenSource } from './token-source.js';

/** A token that was just issued. */
export interface Grant {
  readonly token: string;
  readonly lifeMs: number;
}

/** What goes with a token that is renewed. */
export interface RenewedTokenOptions {
  readonly clock: Clock;
  /** Ends an asking that is under way. */
  close(): void;
}

interface Held {
  readonly token: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** How long before its end a token is renewed, unless its life is short; and the pause after a failure. */
const [aheadMs, retryMs] = [60_000, 10_000];
/** Timers cannot wait much longer than three weeks. */
const maxDelayMs = 86_400_000;

/**
 * A token that is asked for when it is needed, once for all who need it then. Near its end it is handed out
 * still, while the next one is asked for. It is renewed by itself only while somebody listens.
 */
export class RenewedToken implements TokenSource {
  readonly #ask: () => Promise<Grant>;
  readonly #options: RenewedTokenOptions;
  readonly #listeners = new Set<{ readonly changed: () => void }>();
  #held: Held | undefined;
  #asking: Promise<string> | undefined;
  #failedAtMs = -Infinity;
  #closed = false;
  #cancel: Cancel = () => undefined;

  constructor(ask: () => Promise<Grant>, options: RenewedTokenOptions) {
    this.#ask = ask;
    this.#options = options;
  }

  token(): string | Promise<string> {
    const nowMs = this.#options.clock.now();
    const held = this.#held;
    if (!held || nowMs >= held.expiresAtMs) return this.#renewed();
    if (nowMs >= held.renewAtMs && nowMs - this.#failedAtMs >= retryMs) this.#renewBehind();
    return held.token;
  }

  onChange(changed: () => void): () => void {
    const listener = { changed };
    this.#listeners.add(listener);
    this.#arm();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#cancel();
    };
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#cancel();
    this.#options.close();
  }

  /** One request for all who ask meanwhile. */
  #renewed(): Promise<string> {
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined;
      this.#arm();
    });
    return this.#asking;
  }

  async #renew(): Promise<string> {
    try {
      const { token, lifeMs } = await this.#ask();
      const nowMs = this.#options.clock.now();
      const isNew = this.#held !== undefined && this.#held.token !== token;
      const renewAtMs = nowMs + lifeMs - Math.min(aheadMs, lifeMs / 3);
      this.#held = { token, renewAtMs, expiresAtMs: nowMs + lifeMs };
      if (isNew) for (const { changed } of this.#listeners) changed();
      return token;
    } catch (reason) {
      this.#failedAtMs = this.#options.clock.now();
      throw reason;
    }
  }

  #renewBehind(): void {
    this.#renewed().catch(() => {
      // Whoever needs a token after the one at hand expired is told; until then it is tried again.
    });
  }

  #arm(): void {
    this.#cancel();
    if (this.#closed || this.#listeners.size === 0 || !this.#held) return;
    const { clock } = this.#options;
    const dueAtMs = Math.max(this.#held.renewAtMs, this.#failedAtMs + retryMs);
    const delayMs = Math.min(maxDelayMs, Math.max(0, dueAtMs - clock.now()));
    this.#cancel = clock.schedule(delayMs, () => this.#renewBehind());
  }
}
