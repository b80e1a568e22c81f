import type { Identity } from '../auth/identity.js';
import type { Cancel } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import type { CommandPayload } from '../wire/command-payload.js';
import { fanout } from '../wire/header.js';
import type { TextMap } from '../wire/schema.js';
import { messageType, type MessageType, type SessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { ChannelMemory } from './channel-memory.js';
import { verifySender } from './checks.js';
import { ControlRequests } from './control-requests.js';
import type { Received } from './data-path.js';
import type { Incoming } from './incoming.js';
import { SerialInbox } from './serial-inbox.js';
import type { SessionContext } from './session-context.js';
import type { SessionPolicy } from './session-policy.js';
import type { ToKeep } from './session-record.js';
import type { Metadata, PublishOptions, SessionMessage, WaitOptions } from './session.js';
import { Unread } from './unread.js';

/** What a session is made with; the side that opens it decides, the other side reads it. */
export interface SessionSetup {
  readonly id: number;
  /** The name this side has in the session. */
  readonly source: WireName;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly policy: SessionPolicy;
  readonly metadata: Metadata;
  /** Where this side was invited: the invitation is among what it has acted on. */
  readonly memory?: ChannelMemory;
  /** It was kept over a restart. */
  readonly isResumed?: boolean;
}

/** What a session tells the application object that owns it. */
export interface SessionOwner {
  /** A message was refused; nothing else is lost. */
  dropped(reason: SlimError): void;
  /** The session is over and must not be given messages any more. */
  ended(session: BaseSession): void;
  /** Keeps the session as it is, where something is kept. Returns false when that failed, which it reports. */
  keep?(session: BaseSession): boolean;
  /**
   * The message of that number is about to leave, which keeps it from being used again after a restart.
   * @throws SlimError `store-failed`, and it must not leave
   */
  number?(session: BaseSession, messageId: number): void;
}

/** A control message to send. */
export interface ControlMessage {
  readonly id: number;
  readonly command: Partial<CommandPayload>;
  readonly metadata?: TextMap;
}

/** What sessions of two and channels have in common: reading, control messages, and an end. */
export abstract class BaseSession<Setup extends SessionSetup = SessionSetup> {
  readonly setup: Setup;
  readonly context: SessionContext;
  readonly requests: ControlRequests;
  /** Settles, never fails, when the session is over: with the reason, if it was not this side. */
  readonly ended: Promise<SlimError | undefined>;
  protected readonly unread = new Unread<SessionMessage>();
  protected readonly owner: SessionOwner;
  protected closing: Promise<void> | undefined;
  readonly #type: SessionType;
  readonly #inbox: SerialInbox<Incoming>;
  readonly #lostListeners = new Set<(messageId: number) => void>();
  #endReason: SlimError | undefined;
  #end: (reason: SlimError | undefined) => void = () => undefined;

  constructor(type: SessionType, context: SessionContext, setup: Setup, owner: SessionOwner) {
    this.#type = type;
    this.setup = setup;
    this.context = context;
    this.owner = owner;
    this.requests = new ControlRequests(context.clock);
    this.#inbox = new SerialInbox(
      (incoming) => this.#verify(incoming),
      (reason) => owner.dropped(SlimError.from(reason, 'malformed-frame')),
    );
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get id(): number {
    return this.setup.id;
  }

  get mls(): boolean {
    return this.setup.mls;
  }

  get reliable(): boolean {
    return this.setup.reliable;
  }

  get metadata(): Metadata {
    return this.setup.metadata;
  }

  /** True from the moment on that this side closes it. */
  get isClosing(): boolean {
    return this.closing !== undefined;
  }

  /** Why the session is over; undefined while it is not. */
  get endReason(): SlimError | undefined {
    return this.#endReason;
  }

  /** Takes a message of this session off the link. */
  receive(incoming: Incoming): void {
    this.#inbox.push(incoming);
  }

  async next({ timeoutMs, signal }: WaitOptions = {}): Promise<SessionMessage> {
    const wait = new AbortController();
    const abort = (): void =>
      wait.abort(SlimError.from(signal?.reason, 'aborted', 'gave up waiting'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const cancel =
      timeoutMs === undefined
        ? undefined
        : this.context.clock.schedule(timeoutMs, () =>
            wait.abort(new SlimError('timeout', `no message within ${timeoutMs} ms`)),
          );
    try {
      const { done, value } = await this.unread.next(wait.signal);
      if (done) throw this.#endReason ?? new SlimError('session-closed', 'the session is closed');
      return value;
    } finally {
      cancel?.();
      signal?.removeEventListener('abort', abort);
    }
  }

  onLost(listener: (messageId: number) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  close(): Promise<void> {
    this.closing ??= this.#close();
    return this.closing;
  }

  [Symbol.asyncIterator](): AsyncIterator<SessionMessage, undefined> {
    return this.unread[Symbol.asyncIterator]();
  }

  /** Ends the session on this side. Without a reason it was this side that ended it. */
  finish(reason?: SlimError): void {
    if (this.#endReason) return;
    const why = reason ?? new SlimError('session-closed', 'the session is closed');
    this.#endReason = why;
    this.stop(why);
    this.requests.close(why);
    this.unread.end(reason?.code === 'session-closed' ? undefined : reason);
    this.owner.ended(this);
    this.#end(reason);
  }

  /** Tells the owner of a failure that nobody waits for. */
  report(reason: unknown): void {
    this.owner.dropped(SlimError.from(reason, 'timeout'));
  }

  /**
   * Has the session survive a restart as it is now. To be called before others hear of a change. Returns false
   * when it does not: it could not be kept, or is over.
   */
  keep(): boolean {
    return !this.#endReason && (this.owner.keep?.(this) ?? true);
  }

  /** What outlives the process; undefined while nothing does. */
  toKeep(): ToKeep | undefined {
    return undefined;
  }

  acknowledge({ source, session }: Incoming): void {
    const { messageId: id } = session;
    this.send(source, messageType.groupAck, { id, command: { groupAck: {} } });
  }

  /** Answers somebody who leaves, or who is told to. */
  confirmLeave({ source, session }: Incoming): void {
    const { messageId: id } = session;
    this.send(source, messageType.leaveReply, { id, command: { leaveReply: {} } });
  }

  /** Sends a signed control message of this session. */
  send(destination: WireName, type: MessageType, message: ControlMessage, copies = 1): void {
    this.sendAs(this.setup.source, destination, type, { ...message, copies });
  }

  abstract publish(payload: Uint8Array, options?: PublishOptions): Promise<void>;

  /** Handles a message whose sender is verified. */
  protected abstract handle(incoming: Incoming, identity: Identity): void | Promise<void>;
  /** What is under way first, then the good-bye. May take its time; closing has a limit. */
  protected abstract leave(): Promise<void>;
  /** Fails what is under way and stops every timer. */
  protected abstract stop(reason: SlimError): void;

  protected sendAs(
    source: WireName,
    destination: WireName,
    type: MessageType,
    { id, command, metadata, copies = fanout.one }: ControlMessage & { readonly copies?: number },
  ): void {
    const session = {
      sessionType: this.#type,
      messageType: type,
      sessionId: this.id,
      messageId: id,
    };
    const address = { source, destination, session, fanout: copies };
    this.context.send(this.context.composer.control(address, command, metadata));
  }

  /** The number of the next message. @throws SlimError `store-failed` */
  protected numbered(messageId: number): void {
    this.owner.number?.(this, messageId);
  }

  protected lost(messageId: number): void {
    for (const listener of this.#lostListeners) {
      try {
        listener(messageId);
      } catch (reason) {
        // One of the application's, which must not keep others from hearing of it, nor the session from its end.
        this.owner.dropped(SlimError.from(reason, 'not-delivered', 'a listener of lost messages'));
      }
    }
  }

  protected toMessage({ payload, incoming, identity }: Received): SessionMessage {
    return {
      payload,
      payloadType: incoming.application?.payloadType || 'msg',
      metadata: Object.fromEntries(incoming.metadata),
      source: incoming.source.slimName,
      identity,
      messageId: incoming.session.messageId,
      reply: (bytes, options) => this.reply(incoming.source, bytes, options),
    };
  }

  /** Settles when the work does, or its time is up. */
  async within(limitMs: number, work: Promise<unknown>): Promise<void> {
    let cancel: Cancel = () => undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.context.clock.schedule(limitMs, resolve);
    });
    await Promise.race([work, limit]);
    cancel();
  }

  protected abstract reply(
    to: WireName,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void>;

  async #close(): Promise<void> {
    if (!this.#endReason) {
      await this.within(this.setup.policy.closeMs, Promise.race([this.#leave(), this.ended]));
    }
    this.finish();
  }

  async #leave(): Promise<void> {
    try {
      await this.leave();
    } catch (reason) {
      // Nobody answered the good-bye. The session ends all the same, and the owner is told why.
      this.owner.dropped(SlimError.from(reason, 'timeout'));
    }
  }

  #verify(incoming: Incoming): void | Promise<void> {
    if (this.#endReason) return undefined;
    const { verifier, crypto } = this.context;
    const identity = verifySender(verifier, crypto, incoming);
    if (!(identity instanceof Promise)) return this.handle(incoming, identity);
    return identity.then((known) => {
      if (!this.#endReason) return this.handle(incoming, known);
      return undefined;
    });
  }
}
