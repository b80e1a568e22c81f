import type { Clock } from '../clock/clock.js';
import type * as Mls from './mls-group.js';

let loading: Promise<typeof Mls> | undefined;

/**
 * The group keys with the library below them, which takes longer to load than all the rest: not while an
 * application starts (bench case `start-up`).
 */
export function loadMls(): Promise<typeof Mls> {
  loading ??= import('./mls-group.js');
  return loading;
}

/** Enough for a service to start and to give its first answer. */
const preloadMs = 250;

/**
 * Loads the group keys once an application had time to start, so that nobody who invites it waits for that
 * (bench case `invite`).
 */
export class MlsPreload {
  readonly #cancel: () => void;
  #loading: Promise<unknown> | undefined;

  constructor(clock: Clock) {
    this.#cancel = clock.schedule(preloadMs, () => {
      // The first session that has keys is told why they do not load.
      this.#loading = loadMls().catch(() => undefined);
    });
  }

  /** Waits for what was begun. */
  async close(): Promise<void> {
    this.#cancel();
    await this.#loading;
  }
}
