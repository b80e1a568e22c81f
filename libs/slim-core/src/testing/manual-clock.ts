import type { Cancel, Clock } from '../clock/clock.js';

/** A clock that stands still until it is moved, and runs what is due on the way, in order. */
export class ManualClock implements Clock {
  #nowMs: number;
  #sequence = 0;
  readonly #tasks = new Map<number, { readonly dueMs: number; readonly task: () => void }>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Tasks that still wait. */
  get pending(): number {
    return this.#tasks.size;
  }

  schedule(delayMs: number, task: () => void): Cancel {
    const key = this.#sequence++;
    this.#tasks.set(key, { dueMs: this.#nowMs + Math.max(0, delayMs), task });
    return () => this.#tasks.delete(key);
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#tasks.delete(next.key);
      this.#nowMs = next.dueMs;
      next.task();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): { key: number; dueMs: number; task: () => void } | undefined {
    let first: { key: number; dueMs: number; task: () => void } | undefined;
    for (const [key, { dueMs, task }] of this.#tasks) {
      if (dueMs <= endMs && (!first || dueMs < first.dueMs)) first = { key, dueMs, task };
    }
    return first;
  }
}
