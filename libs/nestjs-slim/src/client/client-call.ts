import { SlimError, type Cancel, type Clock } from '@nestjs-slim/core';
import type { WritePacket } from '@nestjs/microservices';
import { patternText } from '../patterns/pattern.js';
import { defaultCredit, ItemReceipt } from '../streams/item-credit.js';
import type { Sending } from '../telemetry.js';
import { timeLimit } from '../time-limit.js';

/** What one request is made from. */
export interface ClientCallOptions {
  readonly clock: Clock;
  /** For messages: what was asked. */
  readonly pattern: unknown;
  /** Until the first reply; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** Cancels the request, which fails with `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Nest's observer; told by presence of `err` and `response`, which may hold falsy values. */
  readonly observer: (packet: WritePacket) => void;
  /** The reader says by `consumed` when it read an item; otherwise it did once the observer returned. */
  readonly isPulled?: boolean;
}

/** What a call went out by; a session with other calls knows it by the id that it gave it. */
export interface CallRoute {
  /** The answer is not wanted any more. */
  cancel(correlationId: number): void;
  /** That many more items may come. */
  grant(correlationId: number, count: number): void;
}

const maxDeadlineMs = 2 ** 32 - 1;

/** A request on the asking side: it is over once, by its last reply, by a failure or because nobody listens. */
export class ClientCall {
  private readonly options: ClientCallOptions;
  private readonly startedMs: number;
  private readonly cancelTimeout: Cancel;
  private readonly ignoreSignal: () => void;
  private receipt: ItemReceipt | undefined;
  private watcher: Pick<Sending, 'ended'> | undefined;
  private askAgain: (() => boolean) | undefined;
  private route: CallRoute | undefined;
  private correlationId = 0;
  private hasReply = false;
  private over = false;

  constructor(options: ClientCallOptions) {
    const { clock, timeoutMs } = options;
    this.options = options;
    this.startedMs = clock.now();
    this.cancelTimeout = timeLimit(clock, timeoutMs, () => {
      const what = `no reply from "${this.pattern}" within ${timeoutMs} ms`;
      this.cancel(new SlimError('timeout', what));
    });
    this.ignoreSignal = whenAborted(options.signal, (cause) => {
      const what = `the request to "${this.pattern}" was aborted`;
      this.cancel(new SlimError('aborted', what, { cause }));
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

  /** Hears how the call ended: without a failure it was answered, or given up by this side. */
  watchedBy(watcher: Pick<Sending, 'ended'>): void {
    this.watcher = watcher;
  }

  /** Asks somebody else when whoever was asked is lost; gives false when it does not. */
  repeatedBy(askAgain: () => boolean): void {
    this.askAgain = askAgain;
  }

  /** The call goes out that way. */
  routed(route: CallRoute, correlationId: number): void {
    this.route = route;
    this.correlationId = correlationId;
    this.receipt = undefined;
  }

  /** @throws SlimError `not-delivered` when an item before it was lost, `backpressure` */
  item(
    response: unknown,
    { sequence, last }: { readonly sequence: number; readonly last: boolean },
  ): void {
    if (this.over) return;
    this.replied();
    // The only item of most answers needs no account.
    if (last && sequence === 0 && !this.receipt) return this.finish({ response, isDisposed: true });
    if (!this.account().accept(sequence)) return;
    if (last) return this.finish({ response, isDisposed: true });
    this.options.observer({ response });
    if (!this.options.isPulled) this.consumed();
  }

  /** The reader is done with an item. */
  consumed(): void {
    if (!this.over) this.receipt?.consumed();
  }

  /** @throws SlimError `not-delivered` when an item before it was lost */
  end(sequence: number): void {
    this.account().inTurn(sequence);
    this.finish({ isDisposed: true });
  }

  fail(err: unknown): void {
    this.finish({ err, isDisposed: true });
  }

  /** Whoever was asked is lost; somebody else may do, unless part of the answer was given already. */
  lost(reason: unknown): void {
    if (this.over) return;
    if (!this.hasReply && this.askAgain?.()) return;
    this.fail(reason);
  }

  /** Nobody listens any more. */
  abandon(): void {
    if (this.over) return;
    this.settle();
    this.route?.cancel(this.correlationId);
    this.watcher?.ended();
  }

  private get pattern(): string {
    return patternText(this.options.pattern);
  }

  private cancel(reason: SlimError): void {
    this.route?.cancel(this.correlationId);
    this.fail(reason);
  }

  private account(): ItemReceipt {
    this.receipt ??= new ItemReceipt(defaultCredit, (count) =>
      this.route?.grant(this.correlationId, count),
    );
    return this.receipt;
  }

  private replied(): void {
    this.hasReply = true;
    this.cancelTimeout();
  }

  private finish(packet: WritePacket): void {
    if (this.over) return;
    // First, because the observer unsubscribes when it is told the end, and that abandons a call.
    this.settle();
    this.watcher?.ended('err' in packet ? { reason: packet.err } : undefined);
    this.options.observer(packet);
  }

  private settle(): void {
    this.over = true;
    this.cancelTimeout();
    this.ignoreSignal();
  }
}

/** Calls back in the next microtask when it is aborted already. Returns how not to be called any more. */
function whenAborted(signal: AbortSignal | undefined, work: (reason: unknown) => void): () => void {
  if (!signal) return nothing;
  const abort = (): void => work(signal.reason);
  if (signal.aborted) queueMicrotask(abort);
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

const nothing = (): void => undefined;
