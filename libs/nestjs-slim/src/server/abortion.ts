import type { SlimError } from '@nestjs-slim/core';

/**
 * Ends work at most once, for a reason. It has an `AbortSignal` for whoever asks for one, and makes it only
 * then: a signal takes longer than all that this package does with a request, and few handlers look at
 * theirs (bench case `Nest request/response`).
 */
export class Abortion {
  /** Why the work was ended; undefined while it was not. */
  reason: SlimError | undefined;
  private controller: AbortController | undefined;
  private readonly listeners = new Set<() => void>();

  get isAborted(): boolean {
    return this.reason !== undefined;
  }

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.reason) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  abort(reason: SlimError): void {
    if (this.reason) return;
    this.reason = reason;
    this.controller?.abort(reason);
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener();
  }

  /** Calls back when the work is ended, at once if it was. Returns how not to be called any more. */
  whenAborted(listener: () => void): () => void {
    if (this.reason) listener();
    else this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
