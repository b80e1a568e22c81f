import type { Clock } from '../clock/clock.js';
import type { LoadedKey } from './jwt-keys.js';
import type { VerificationKeys } from './verification-keys.js';

/** How long keys are good without asking again, and how often is asked at most. */
const cacheMs = 3_600_000;
const minIntervalMs = 30_000;

/** Where keys come from. */
export interface KeyOrigin {
  /** @throws SlimError when they cannot be had */
  load(): Promise<readonly LoadedKey[]>;
  close(): void;
}

/**
 * Keys that somebody else publishes and replaces. They are asked for when they are needed: at first, when
 * they are an hour old, and when a token names one that is not there. When asking fails, the old ones stay.
 */
export class CachedKeys implements VerificationKeys {
  readonly #origin: KeyOrigin;
  readonly #clock: Clock;
  #keys: readonly LoadedKey[] = [];
  #loadedAtMs = -Infinity;
  #askedAtMs = -Infinity;
  #failure: unknown;
  #loading: Promise<boolean> | undefined;

  constructor(origin: KeyOrigin, clock: Clock) {
    this.#origin = origin;
    this.#clock = clock;
  }

  async for(): Promise<readonly LoadedKey[]> {
    if (this.#clock.now() - this.#loadedAtMs >= cacheMs) await this.renew();
    if (this.#keys.length === 0) throw this.#failure;
    return this.#keys;
  }

  /** However many ask, one request is under way, and not more than one in half a minute. */
  async renew(): Promise<boolean> {
    if (this.#loading) return this.#loading;
    const nowMs = this.#clock.now();
    if (nowMs - this.#askedAtMs < minIntervalMs) return false;
    this.#askedAtMs = nowMs;
    this.#loading = this.#load();
    try {
      return await this.#loading;
    } finally {
      this.#loading = undefined;
    }
  }

  close(): void {
    this.#origin.close();
  }

  async #load(): Promise<boolean> {
    try {
      this.#keys = await this.#origin.load();
      this.#loadedAtMs = this.#clock.now();
      return true;
    } catch (reason) {
      // Told only to who has no keys at all: with the old ones most tokens verify, and it is tried again.
      this.#failure = reason;
      return false;
    }
  }
}
