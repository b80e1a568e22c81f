import { SlimError, type Cancel, type Clock } from '@nestjs-slim/core';
import type { WritePacket } from '@nestjs/microservices';
import { timeLimit } from './time-limit.js';

/** What one request is made from. */
export interface ClientCallOptions {
  readonly clock: Clock;
  /** For messages: what was asked. */
  readonly pattern: string;
  /** Until the first reply. */
  readonly timeoutMs: number;
  /** Nest's observer; told by presence of `err` and `response`, which may hold falsy values. */
  readonly observer: (packet: WritePacket) => void;
}

const maxDeadlineMs = 2 ** 32 - 1;

/** A request on the asking side: it is over once, by its last reply, by a failure or because nobody listens. */
export class ClientCall {
  private readonly options: ClientCallOptions;
  private readonly startedMs: number;
  private readonly cancelTimeout: Cancel;
  private onAbandoned: () => void = () => undefined;
  private over = false;

  constructor(options: ClientCallOptions) {
    const { clock, pattern, timeoutMs } = options;
    this.options = options;
    this.startedMs = clock.now();
    this.cancelTimeout = timeLimit(clock, timeoutMs, () => {
      this.onAbandoned();
      this.fail(new SlimError('timeout', `no reply from "${pattern}" within ${timeoutMs} ms`));
    });
  }

  get isOver(): boolean {
    return this.over;
  }

  /** What is left of the timeout, in whole milliseconds; 0 for no limit. */
  get deadlineMs(): number {
    const { clock, timeoutMs } = this.options;
    const leftMs = Math.ceil(this.startedMs + timeoutMs - clock.now());
    // Longer than the field can say is as good as no limit.
    return leftMs > maxDeadlineMs ? 0 : Math.max(1, leftMs);
  }

  /** What to do when the answer is not wanted any more before it is complete. */
  whenAbandoned(action: () => void): void {
    this.onAbandoned = action;
  }

  item(response: unknown, isDisposed: boolean): void {
    this.cancelTimeout();
    if (isDisposed) this.finish({ response, isDisposed });
    else if (!this.over) this.options.observer({ response });
  }

  end(): void {
    this.finish({ isDisposed: true });
  }

  fail(err: unknown): void {
    this.finish({ err, isDisposed: true });
  }

  /** Nobody listens any more. */
  abandon(): void {
    if (this.over) return;
    this.over = true;
    this.cancelTimeout();
    this.onAbandoned();
  }

  private finish(packet: WritePacket): void {
    if (this.over) return;
    // First, because the observer unsubscribes when it is told the end, and that abandons a call.
    this.over = true;
    this.cancelTimeout();
    this.options.observer(packet);
  }
}
