import type { Cancel, Clock, NodeCounters } from '@nestjs-slim/core';

const intervalMs = 1_000;
const keptIntervals = 120;

/** Frames a second, oldest first; each list has one number for every interval. */
export interface Traffic {
  readonly intervalMs: number;
  readonly received: readonly number[];
  readonly forwarded: readonly number[];
  readonly dropped: readonly number[];
}

interface Sample {
  readonly atMs: number;
  readonly received: number;
  readonly forwarded: number;
  readonly dropped: number;
}

/** The traffic of the last two minutes, so that whoever opens the page sees where it comes from. */
export class TrafficHistory {
  readonly #counters: () => NodeCounters;
  readonly #clock: Clock;
  readonly #samples: Sample[] = [];
  #cancel: Cancel | undefined;

  constructor(counters: () => NodeCounters, clock: Clock) {
    this.#counters = counters;
    this.#clock = clock;
    this.#sample();
  }

  get traffic(): Traffic {
    return {
      intervalMs,
      received: this.#rates('received'),
      forwarded: this.#rates('forwarded'),
      dropped: this.#rates('dropped'),
    };
  }

  /** May be called twice. */
  close(): void {
    this.#cancel?.();
  }

  #sample(): void {
    const { received, forwarded, dropped } = this.#counters();
    const atMs = this.#clock.now();
    this.#samples.push({ atMs, received, forwarded, dropped: sum(dropped) });
    if (this.#samples.length > keptIntervals + 1) this.#samples.shift();
    this.#cancel = this.#clock.schedule(intervalMs, () => this.#sample());
  }

  #rates(of: 'received' | 'forwarded' | 'dropped'): number[] {
    return this.#samples.slice(1).map((sample, index) => {
      const before = this.#samples[index] ?? sample;
      return perSecond(sample[of] - before[of], sample.atMs - before.atMs);
    });
  }
}

/** 0 where no time has passed, or the clock was set back. */
export function perSecond(count: number, overMs: number): number {
  return overMs > 0 ? Math.round((count * 10_000) / overMs) / 10 : 0;
}

/** All that was dropped, for whatever reason. */
export function sum(dropped: NodeCounters['dropped']): number {
  return Object.values(dropped).reduce((total, count) => total + count, 0);
}
