import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  SlimError,
  systemClock,
  type Cancel,
  type Clock,
  type TextSource,
} from '@nestjs-slim/core';

/** How a file is followed. */
export interface WatchedFileOptions {
  /** How often it is looked at while somebody listens; every 5,000 ms unless given. */
  readonly checkMs?: number;
  readonly clock?: Clock;
}

const defaultCheckMs = 5_000;
const minCheckMs = 100;

/**
 * A file that others replace while it is in use. It is looked at from time to time, not watched: that finds
 * a rename, a write in place and the links of Kubernetes alike, on every file system. Nothing is held open,
 * and without a listener nothing is scheduled.
 * @throws SlimError `invalid-config`
 */
export function watchedFile(path: string, options: WatchedFileOptions = {}): TextSource {
  return new WatchedFile(path, options);
}

class WatchedFile implements TextSource {
  readonly #path: string;
  readonly #checkMs: number;
  readonly #clock: Clock;
  readonly #listeners = new Set<{ readonly changed: () => void }>();
  /** A digest of the text that was seen last, which may be a key, or of why there was none. */
  #seen: string | undefined;
  #cancel: Cancel = () => undefined;

  constructor(path: string, { checkMs = defaultCheckMs, clock = systemClock }: WatchedFileOptions) {
    if (!(Number.isFinite(checkMs) && checkMs >= minCheckMs)) {
      const message = `expected checkMs to be at least ${minCheckMs}, got ${checkMs}`;
      throw new SlimError('invalid-config', message);
    }
    this.#path = path;
    this.#checkMs = checkMs;
    this.#clock = clock;
  }

  async text(): Promise<string> {
    try {
      const text = await readFile(this.#path, 'utf8');
      this.#observe(`text ${text}`);
      return text;
    } catch (reason) {
      const error = SlimError.from(reason, 'invalid-config', `reading ${this.#path}`);
      this.#observe(`error ${error.message}`);
      throw error;
    }
  }

  onChange(changed: () => void): () => void {
    const listener = { changed };
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#arm();
      // Now, so that there is something to compare with what is found later.
      void this.#look();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#cancel();
      this.#seen = undefined;
    };
  }

  #arm(): void {
    this.#cancel();
    this.#cancel = this.#clock.schedule(this.#checkMs, () => {
      void this.#look().then(() => {
        if (this.#listeners.size > 0) this.#arm();
      });
    });
  }

  async #look(): Promise<void> {
    // Who listens is told by the reading itself, of a failure too.
    await this.text().catch(() => undefined);
  }

  /** Whoever reads it finds a change for everybody, so that none is told of a text later than it was read. */
  #observe(found: string): void {
    if (this.#listeners.size === 0) return;
    const now = createHash('sha256').update(found).digest('base64');
    const before = this.#seen;
    this.#seen = now;
    if (before === undefined || before === now) return;
    for (const { changed } of this.#listeners) changed();
  }
}
