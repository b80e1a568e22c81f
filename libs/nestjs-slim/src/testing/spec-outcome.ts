import type { Observable } from 'rxjs';

/** What a stream gave: its values, and how it ended. */
export interface Outcome {
  readonly values: readonly unknown[];
  /** Absent when the stream completed; an error may itself be undefined. */
  readonly failed?: { readonly with: unknown };
}

/** Settles, never fails, when the stream is over. */
export function outcome(stream: Observable<unknown>): Promise<Outcome> {
  const values: unknown[] = [];
  return new Promise((resolve) => {
    stream.subscribe({
      next: (value) => values.push(value),
      error: (reason: unknown) => resolve({ values, failed: { with: reason } }),
      complete: () => resolve({ values }),
    });
  });
}

/** A promise and its settling, for a spec to wait for what happens elsewhere. */
export class Signal<Value = void> {
  readonly fired: Promise<Value>;
  fire: (value: Value) => void = () => undefined;

  constructor() {
    this.fired = new Promise((resolve) => (this.fire = resolve));
  }
}
