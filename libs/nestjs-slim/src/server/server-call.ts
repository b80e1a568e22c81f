import {
  SlimError,
  type Cancel,
  type Clock,
  type Session,
  type SessionMessage,
  type SlimErrorCode,
} from '@nestjs-slim/core';
import type { WritePacket } from '@nestjs/microservices';
import { patternKey } from '../patterns/pattern.js';
import { Abortion } from './abortion.js';
import type { Replies } from './replies.js';
import { maxBufferedItems } from '../streams/item-credit.js';
import { ItemSender } from '../streams/item-sender.js';
import { SlimContext } from '../slim-context.js';
import { timeLimit } from '../time-limit.js';

/** What one call is made from. */
export interface ServerCallOptions {
  readonly clock: Clock;
  readonly session: Session;
  readonly message: SessionMessage;
  readonly service: string;
  readonly operation: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the wildcards of the handler's pattern stand for. */
  readonly params: Readonly<Record<string, string>>;
  /** How long the caller waits for the first reply, from now; 0 for no limit. */
  readonly deadlineMs: number;
  readonly isForeign: boolean;
  /** Absent for events: nobody waits for an answer. */
  readonly replies?: Replies;
  /** How many items the caller takes before it says more; `Infinity` when it sets no limit. */
  readonly credit?: number;
  /** A reply could not be published. */
  readonly failed: (reason: unknown) => void;
}

/** Replies that may wait to be published before a source that can wait is asked for more. */
const maxWaitingReplies = 16;

/**
 * One message while its handler works on it. It is finished when the last reply was published, which is
 * later than the end of the handler's stream.
 */
export class ServerCall {
  readonly context: SlimContext;
  readonly finished: Promise<void>;
  /** How the call failed, once it is finished; undefined when the caller got an answer. */
  failure: { readonly reason: unknown } | undefined;
  private readonly options: ServerCallOptions;
  readonly abortion = new Abortion();
  private readonly cancelDeadline: Cancel;
  private readonly sender: ItemSender;
  private isFinished = false;
  private waitingReplies = 0;
  private wake: () => void = () => undefined;
  private finish: () => void = () => undefined;

  constructor(options: ServerCallOptions) {
    const { clock, deadlineMs, service, credit = Infinity, ...details } = options;
    this.options = options;
    this.sender = new ItemSender(credit, (reason) => void this.giveUp(reason));
    this.finished = new Promise((resolve) => (this.finish = resolve));
    const expiresMs = clock.now() + deadlineMs;
    this.cancelDeadline =
      deadlineMs === 0
        ? () => undefined
        : timeLimit(clock, deadlineMs, () =>
            this.abort(new SlimError('timeout', `no reply within ${deadlineMs} ms`)),
          );
    this.context = new SlimContext({
      ...details,
      pattern: patternKey(service, details.operation),
      signal: () => this.abortion.signal,
      timeLeftMs: () => (deadlineMs === 0 ? undefined : Math.max(0, expiresMs - clock.now())),
    });
  }

  /** The service that was called. */
  get service(): string {
    return this.options.service;
  }

  get isRequest(): boolean {
    return this.options.replies !== undefined;
  }

  /** Nobody waits for the answer any more: nothing further is published. */
  abort(reason: SlimError): void {
    this.cancelDeadline();
    this.failure ??= { reason };
    this.abortion.abort(reason);
    this.sender.credit.close();
    this.wake();
  }

  /** The caller takes that many more items. */
  grant(count: number): void {
    this.sender.credit.grant(count);
  }

  /** The handler is done and there is nothing to publish, or everything is. */
  end(): void {
    this.isFinished = true;
    this.cancelDeadline();
    this.finish();
  }

  /**
   * A value is on its way to `respond`.
   * @throws SlimError `backpressure` when too many are, from a source that cannot wait
   */
  replyQueued(): void {
    this.waitingReplies += 1;
    if (this.waitingReplies <= maxBufferedItems) return;
    throw new SlimError('backpressure', `more than ${maxBufferedItems} items wait to be sent`);
  }

  /** Settles when a source that can wait may give its next value. */
  async whenRoom(): Promise<void> {
    if (this.waitingReplies < maxWaitingReplies || this.abortion.isAborted) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
  }

  /**
   * Publishes what Nest's `Server.send` gives. Settles when there is room for the next packet, and after
   * the last one when everything arrived. Never fails.
   */
  async respond(packet: WritePacket): Promise<void> {
    // Told by presence: an error may be falsy, a value undefined.
    const isError = 'err' in packet;
    if (isError) this.failure ??= { reason: packet.err };
    try {
      if (!this.isFinished && !this.abortion.isAborted) await this.publish(packet, isError);
    } catch (reason) {
      await this.giveUp(reason);
    }
    if ('response' in packet) {
      this.waitingReplies -= 1;
      this.wake();
    }
    if (!isError && packet.isDisposed !== true) return;
    await this.sender.idle();
    this.end();
  }

  /** Publishes an error instead of an answer, or of what is left of it, and stops the handler. Never fails. */
  async refuse(reason: unknown): Promise<void> {
    if (this.isFinished) return;
    // Aborted before there was anything for its handler: nobody else ends it.
    if (!this.abortion.isAborted) await this.breakOff(reason, 'aborted');
    this.end();
  }

  private async publish(packet: WritePacket, isError: boolean): Promise<void> {
    this.cancelDeadline();
    const { replies } = this.options;
    if (!replies) return undefined;
    if (isError) return replies.error(packet.err);
    if (!('response' in packet)) return replies.end(this.sender.sequence);
    const publishing = await replies.item(packet.response);
    const isLast = packet.isDisposed === true;
    if (!(await this.sender.credit.take())) return undefined;
    return this.sender.publish((sequence) => publishing({ sequence, isLast }));
  }

  /** A reply could not be published. If it was the fault of that reply, the caller can still be told. */
  private async giveUp(reason: unknown): Promise<void> {
    if (this.isFinished || this.abortion.isAborted) return;
    this.options.failed(reason);
    await this.breakOff(reason, 'not-delivered');
  }

  private async breakOff(reason: unknown, code: SlimErrorCode): Promise<void> {
    this.failure ??= { reason };
    this.abort(SlimError.from(reason, code));
    try {
      await this.options.replies?.error(reason);
    } catch {
      // The session is gone, which the caller notices by itself.
    }
  }
}
