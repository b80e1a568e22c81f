import type { Cancel, Clock } from '@nestjs-slim/core';

/** How many lines a limit lets through. */
export interface LineLimitOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Lines of each kind that are let through in one interval. */
  readonly burst: number;
  /** Told at the end of an interval how many lines of a kind it held back. */
  readonly report: (kind: string, count: number) => void;
}

/** Keeps others from filling the log: after a few lines of a kind the rest is only counted. */
export class LineLimit {
  readonly #options: LineLimitOptions;
  readonly #seen = new Map<string, number>();
  #cancel: Cancel | undefined;

  constructor(options: LineLimitOptions) {
    this.#options = options;
  }

  /** Whether this line may be written. */
  allows(kind: string): boolean {
    const { clock, intervalMs, burst } = this.#options;
    const seen = (this.#seen.get(kind) ?? 0) + 1;
    this.#seen.set(kind, seen);
    this.#cancel ??= clock.schedule(intervalMs, () => this.#flush());
    return seen <= burst;
  }

  /** Reports what was held back so far. May be called twice. */
  close(): void {
    this.#cancel?.();
    this.#flush();
  }

  #flush(): void {
    this.#cancel = undefined;
    const { burst, report } = this.#options;
    for (const [kind, seen] of this.#seen) if (seen > burst) report(kind, seen - burst);
    this.#seen.clear();
  }
}
