import {
  SlimError,
  type Cancel,
  type Clock,
  type Session,
  type SessionMessage,
} from '@nestjs-slim/core';
import type { WritePacket } from '@nestjs/microservices';
import { patternKey } from './pattern.js';
import type { Replies } from './replies.js';
import { SlimContext } from './slim-context.js';
import { timeLimit } from './time-limit.js';

/** What one call is made from. */
export interface ServerCallOptions {
  readonly clock: Clock;
  readonly session: Session;
  readonly message: SessionMessage;
  readonly service: string;
  readonly operation: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** How long the caller waits for the first reply, from now; 0 for no limit. */
  readonly deadlineMs: number;
  readonly isForeign: boolean;
  /** Absent for events: nobody waits for an answer. */
  readonly replies?: Replies;
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
  private readonly options: ServerCallOptions;
  private readonly abortion = new AbortController();
  private readonly cancelDeadline: Cancel;
  private isFinished = false;
  private waitingReplies = 0;
  private wake: () => void = () => undefined;
  private finish: () => void = () => undefined;

  constructor(options: ServerCallOptions) {
    const { clock, deadlineMs, session, message, service, operation, metadata, isForeign } =
      options;
    this.options = options;
    this.finished = new Promise((resolve) => (this.finish = resolve));
    const expiresMs = clock.now() + deadlineMs;
    this.cancelDeadline =
      deadlineMs === 0
        ? () => undefined
        : timeLimit(clock, deadlineMs, () =>
            this.abort(new SlimError('timeout', `no reply within ${deadlineMs} ms`)),
          );
    this.context = new SlimContext({
      pattern: patternKey(service, operation),
      operation,
      session,
      message,
      metadata,
      signal: this.signal,
      timeLeftMs: () => (deadlineMs === 0 ? undefined : Math.max(0, expiresMs - clock.now())),
      isForeign,
    });
  }

  get signal(): AbortSignal {
    return this.abortion.signal;
  }

  get isRequest(): boolean {
    return this.options.replies !== undefined;
  }

  /** Nobody waits for the answer any more: nothing further is published. */
  abort(reason: SlimError): void {
    this.cancelDeadline();
    this.abortion.abort(reason);
    this.wake();
  }

  /** The handler is done and there is nothing to publish, or everything is. */
  end(): void {
    this.isFinished = true;
    this.cancelDeadline();
    this.finish();
  }

  /** A value is on its way to `respond`. */
  replyQueued(): void {
    this.waitingReplies += 1;
  }

  /** Settles when a source that can wait may give its next value. */
  async whenRoom(): Promise<void> {
    if (this.waitingReplies < maxWaitingReplies || this.signal.aborted) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
  }

  /** Publishes what Nest's `Server.send` gives, one after the other. Never fails. */
  async respond(packet: WritePacket): Promise<void> {
    // Told by presence: an error may be falsy, a value undefined.
    const isError = 'err' in packet;
    try {
      if (!this.isFinished && !this.signal.aborted) await this.publish(packet, isError);
    } catch (reason) {
      await this.giveUp(reason);
    }
    if ('response' in packet) {
      this.waitingReplies -= 1;
      this.wake();
    }
    if (isError || packet.isDisposed === true) this.end();
  }

  /** Publishes an error instead of an answer. Never fails. */
  async refuse(reason: unknown): Promise<void> {
    await this.respond({ err: reason });
  }

  private async publish(packet: WritePacket, isError: boolean): Promise<void> {
    this.cancelDeadline();
    const { replies } = this.options;
    if (!replies) return undefined;
    if (isError) return replies.error(packet.err);
    if ('response' in packet) return replies.item(packet.response, packet.isDisposed === true);
    return replies.end();
  }

  /** A reply could not be published. If it was the fault of that reply, the caller can still be told. */
  private async giveUp(reason: unknown): Promise<void> {
    this.options.failed(reason);
    try {
      await this.options.replies?.error(reason);
    } catch {
      // The session is gone; the failure was reported above.
    }
    this.abort(SlimError.from(reason, 'not-delivered'));
  }
}
