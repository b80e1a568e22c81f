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
import { SlimContext } from '../slim-context.js';
import { maxBufferedItems } from '../streams/item-credit.js';
import { ItemSender } from '../streams/item-sender.js';
import { timeLimit } from '../time-limit.js';
import { Abortion } from './abortion.js';
import type { Replies } from './replies.js';

/** What the calls of one session share. */
export interface CallHost {
  readonly clock: Clock;
  readonly session: Session;
  readonly service: string;
  /** A reply could not be published. */
  readonly failed: (reason: unknown) => void;
}

/** What one call is made from. */
export interface ServerCallOptions {
  readonly message: SessionMessage;
  readonly operation: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the wildcards of the handler's pattern stand for. */
  readonly params?: Readonly<Record<string, string>> | undefined;
  /** How long the caller waits for the first reply, from now; 0 for no limit. */
  readonly deadlineMs?: number;
  readonly isForeign?: boolean;
  /** Absent for events: nobody waits for an answer. */
  readonly replies?: Replies | undefined;
  /** How many items the caller takes before it says more; `Infinity` when it sets no limit. */
  readonly credit?: number;
}

/** Replies that may wait to be published before a source that can wait is asked for more. */
const maxWaitingReplies = 16;

/**
 * One message while its handler works on it. It is finished when the last reply was published, which is
 * later than the end of the handler's stream.
 */
export class ServerCall {
  readonly context: SlimContext;
  /** How the call failed, once it is finished; undefined when the caller got an answer. */
  failure: { readonly reason: unknown } | undefined;
  readonly abortion = new Abortion();
  private readonly host: CallHost;
  private readonly replies: Replies | undefined;
  private readonly cancelDeadline: Cancel;
  private readonly sender: ItemSender;
  private readonly listeners: (() => void)[] = [];
  private isFinished = false;
  private waitingReplies = 0;
  private wake: () => void = () => undefined;

  constructor(host: CallHost, options: ServerCallOptions) {
    const { clock, session, service } = host;
    const { message, operation, metadata, replies, deadlineMs = 0, credit = Infinity } = options;
    this.host = host;
    this.replies = replies;
    this.sender = new ItemSender(credit, (reason) => void this.giveUp(reason));
    const expiresMs = deadlineMs === 0 ? Infinity : clock.now() + deadlineMs;
    this.cancelDeadline = timeLimit(clock, deadlineMs === 0 ? Infinity : deadlineMs, () =>
      this.abort(new SlimError('timeout', `no reply within ${deadlineMs} ms`)),
    );
    this.context = new SlimContext({
      pattern: patternKey(service, operation),
      operation,
      params: options.params ?? noParams,
      session,
      message,
      metadata,
      signal: () => this.abortion.signal,
      timeLeftMs: () => (expiresMs === Infinity ? undefined : Math.max(0, expiresMs - clock.now())),
      isForeign: options.isForeign ?? false,
    });
  }

  /** The service that was called. */
  get service(): string {
    return this.host.service;
  }

  get isRequest(): boolean {
    return this.replies !== undefined;
  }

  /** Calls back when the call is finished; at once when it is. */
  whenFinished(listener: () => void): void {
    if (this.isFinished) listener();
    else this.listeners.push(listener);
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
    if (this.isFinished) return;
    this.isFinished = true;
    this.cancelDeadline();
    for (const listener of this.listeners) listener();
  }

  /**
   * A value is on its way to `respond`.
   * @throws SlimError `backpressure` when too many are, from a source that cannot wait
   */
  given(): void {
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
   * Publishes what Nest's `Server.send` gives. Gives a promise, which never fails, when the next packet has to
   * wait until it settles.
   */
  respond(packet: WritePacket): Promise<void> | undefined {
    // Told by presence: an error may be falsy, a value undefined.
    if ('err' in packet) this.failure ??= { reason: packet.err };
    const publishing = this.attempt(packet);
    if (!publishing) return this.responded(packet);
    return publishing.then(() => this.responded(packet));
  }

  /** Publishes an error instead of an answer, or of what is left of it, and stops the handler. Never fails. */
  async refuse(reason: unknown): Promise<void> {
    if (this.isFinished) return;
    // Aborted before there was anything for its handler: nobody else ends it.
    if (!this.abortion.isAborted) await this.breakOff(reason, 'aborted');
    this.end();
  }

  private responded(packet: WritePacket): undefined {
    if ('response' in packet) {
      this.waitingReplies -= 1;
      this.wake();
    }
    const isLast = 'err' in packet || packet.isDisposed === true;
    if (isLast) this.sender.whenIdle(() => this.end());
  }

  private attempt(packet: WritePacket): Promise<void> | undefined {
    if (this.isFinished || this.abortion.isAborted) return undefined;
    try {
      return this.publish(packet)?.catch((reason: unknown) => this.giveUp(reason));
    } catch (reason) {
      return this.giveUp(reason);
    }
  }

  private publish(packet: WritePacket): Promise<void> | undefined {
    this.cancelDeadline();
    const { replies } = this;
    if (!replies) return undefined;
    if ('err' in packet) return replies.error(packet.err);
    if (!('response' in packet)) return replies.end(this.sender.sequence);
    const isLast = packet.isDisposed === true;
    const encoded = replies.encode(packet.response);
    if (encoded instanceof Promise) return encoded.then((known) => this.item(known, isLast));
    return this.item(encoded, isLast);
  }

  private item(encoded: unknown, isLast: boolean): Promise<void> | undefined {
    const { sender, replies } = this;
    const go = (mayGo: boolean): Promise<void> | undefined =>
      mayGo && replies
        ? sender.publish((sequence) => replies.item(encoded, { sequence, isLast }))
        : undefined;
    const mayGo = sender.credit.take();
    return mayGo instanceof Promise ? mayGo.then(go) : go(mayGo);
  }

  /** A reply could not be published. If it was the fault of that reply, the caller can still be told. */
  private async giveUp(reason: unknown): Promise<void> {
    if (this.isFinished || this.abortion.isAborted) return;
    this.host.failed(reason);
    await this.breakOff(reason, 'not-delivered');
  }

  private async breakOff(reason: unknown, code: SlimErrorCode): Promise<void> {
    this.failure ??= { reason };
    this.abort(SlimError.from(reason, code));
    try {
      await this.replies?.error(reason);
    } catch {
      // The session is gone, which the caller notices by itself.
    }
  }
}

const noParams = {};
