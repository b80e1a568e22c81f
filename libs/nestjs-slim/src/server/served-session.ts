import { SlimError, type Clock, type Session, type SessionMessage } from '@nestjs-slim/core';
import type { MessageHandler } from '@nestjs/microservices';
import { Bag } from '../in-flight/bag.js';
import { IdMap } from '../in-flight/id-map.js';
import { patternKey } from '../patterns/pattern.js';
import { envelopeKind, type Envelope } from '../payload/envelope.js';
import { Envelopes } from '../payload/envelopes.js';
import { readForeign } from '../payload/foreign-payload.js';
import { InOrder } from '../payload/in-order.js';
import { fromTexts } from '../payload/metadata.js';
import type { Payloads } from '../payload/payloads.js';
import { SlimException } from '../slim-exception.js';
import type { HandlerTable, Match } from './handler-table.js';
import { EnvelopeReplies, ForeignReplies } from './replies.js';
import { RequestItems } from './request-items.js';
import { ServerCall, type CallHost, type ServerCallOptions } from './server-call.js';

/** What a served session asks of the server it belongs to. */
export interface SessionHost {
  readonly clock: Clock;
  readonly payloads: Payloads;
  /** Settles when the application is initialised; `isReady` says whether it is. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  /** False once the server is closing: requests are refused. Events are acknowledged by then, so they are handled. */
  isOpen(): boolean;
  readonly table: HandlerTable;
  /** Runs a message handler; the call gets its replies and its end. */
  request(call: ServerCall, handler: MessageHandler, data: unknown): void;
  /** Runs event handlers, if there are any, and ends the call. */
  event(call: ServerCall, matches: readonly Match[], data: unknown): void;
  dropped(reason: SlimError): void;
}

/** A request that is being answered. */
interface Answering {
  readonly call: ServerCall;
  /** What else comes of the request, when it is a stream. */
  readonly items: RequestItems | undefined;
}

/** A session that somebody else opened: reads it to its end and hands its messages to handlers, all at once. */
export class ServedSession {
  private readonly session: Session;
  private readonly envelopes: Envelopes;
  private readonly host: SessionHost;
  private readonly callHost: CallHost;
  private readonly service: string;
  private readonly calls = new Bag<ServerCall>();
  private readonly requests = new IdMap<Answering>();
  private readonly inOrder = new InOrder();
  private readonly idleListeners: (() => void)[] = [];

  constructor(session: Session, host: SessionHost) {
    this.session = session;
    this.envelopes = new Envelopes(session, { dropped: (reason) => host.dropped(reason) });
    this.host = host;
    this.service = session.name.service;
    this.callHost = {
      clock: host.clock,
      session,
      service: this.service,
      failed: (reason) => host.dropped(SlimError.from(reason, 'not-delivered')),
    };
  }

  /** Settles, never fails, when the session is over and its last handler is done. */
  async run(): Promise<void> {
    try {
      for await (const message of this.session) this.receive(message);
    } catch (reason) {
      this.host.dropped(SlimError.from(reason, 'peer-lost'));
    }
    const reason = new SlimError('session-closed', 'the caller closed the session');
    for (const call of this.calls) if (call.isRequest) call.abort(reason);
    await this.idle();
  }

  get isIdle(): boolean {
    return this.calls.size === 0;
  }

  /** Settles when no call is at work. */
  async idle(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  /** Ends what is still at work, then the session. */
  async close(reason: SlimError): Promise<void> {
    for (const call of this.calls) call.abort(reason);
    await this.session.close();
  }

  private receive(message: SessionMessage): void {
    // Whose answer it would be, when one cannot be read, is not known: it is dropped.
    const isOurs = this.envelopes.read(message, (envelope) => this.envelope(message, envelope));
    if (!isOurs) this.foreign(message);
  }

  private envelope(message: SessionMessage, envelope: Envelope): void {
    const { kind, correlationId } = envelope;
    const answering = this.requests.get(correlationId);
    switch (kind) {
      case envelopeKind.request:
        return this.request(message, envelope);
      case envelopeKind.event:
        return this.event(message, envelope);
      case envelopeKind.credit:
        return answering?.call.grant(envelope.credit);
      case envelopeKind.item:
      case envelopeKind.end:
      case envelopeKind.error:
        return answering?.items?.take(envelope);
      case envelopeKind.cancel:
        return answering?.call.abort(cancelled());
      default:
        // Kinds of later versions are skipped.
        return undefined;
    }
  }

  private request(message: SessionMessage, envelope: Envelope): void {
    const { operation, correlationId, deadlineMs, credit, streams } = envelope;
    if (this.requests.has(correlationId)) {
      throw new SlimError('malformed-frame', `request ${correlationId} is open already`);
    }
    const { payloads, table } = this.host;
    const match = table.message(this.service, operation);
    const replies = new EnvelopeReplies(this.envelopes, envelope, payloads);
    const call = this.begin({
      message,
      operation,
      params: match?.params,
      metadata: fromTexts(envelope.metadata),
      deadlineMs,
      replies,
      credit: credit === 0 ? Infinity : credit,
    });
    const failed = (reason: unknown): void => void call.refuse(reason);
    const items = streams ? this.itemsOf(call, replies, failed) : undefined;
    this.requests.set(correlationId, { call, items });
    call.whenFinished(() => {
      this.requests.delete(correlationId);
      items?.abort(new SlimError('aborted', 'the request is answered'));
    });
    if (!this.host.isReady()) return failed(starting());
    const pattern = call.context.getPattern();
    this.answer(call, match, () => items?.open() ?? payloads.decodeRequest(pattern, envelope));
  }

  private event(message: SessionMessage, envelope: Envelope): void {
    const { operation } = envelope;
    const matches = this.host.table.events(this.service, operation);
    const data = this.host.payloads.decodeRequest(patternKey(this.service, operation), envelope);
    const call = this.begin({ message, operation, metadata: fromTexts(envelope.metadata) });
    this.whenReady(data, call, (value) => this.host.event(call, matches, value));
  }

  private foreign(message: SessionMessage): void {
    const { metadata } = message;
    const { table } = this.host;
    const match = table.message(this.service, '');
    const events = match ? [] : table.events(this.service, '');
    const replies = events.length > 0 ? undefined : new ForeignReplies(message);
    const call = this.begin({ message, operation: '', metadata, replies, isForeign: true });
    this.whenReady(undefined, call, () => {
      if (events.length === 0) return this.answer(call, match, () => readForeign(message));
      return this.attempt(call, () => this.host.event(call, events, readForeign(message)));
    });
  }

  /** Goes on when the value is there and the application is initialised, in the order messages came. */
  private whenReady(value: unknown, call: ServerCall, work: (value: unknown) => void): void {
    const { host } = this;
    const known = host.isReady() ? value : host.ready.then(() => value);
    this.inOrder.run(known, work, (reason) => {
      host.dropped(SlimError.from(reason, 'malformed-frame'));
      call.end();
    });
  }

  /** Nest's part, unless it is clear already what the answer is. */
  private answer(call: ServerCall, match: Match | undefined, read: () => unknown): void {
    this.attempt(call, () => {
      if (!this.host.isOpen()) throw closing();
      if (!match) throw this.noHandler(call);
      const run = (data: unknown): void => this.host.request(call, match.handler, data);
      this.inOrder.run(read(), run, (reason) => void call.refuse(reason));
    });
  }

  private attempt(call: ServerCall, work: () => void): void {
    try {
      work();
    } catch (reason) {
      void call.refuse(reason);
    }
  }

  private noHandler({ context }: ServerCall): SlimException {
    const key = context.getPattern();
    const takesEvents = this.host.table.events(this.service, context.getOperation()).length > 0;
    const message = takesEvents ? `"${key}" takes events only` : `no handler for "${key}"`;
    return new SlimException({ code: 'no-handler', message });
  }

  /** What else comes of a request that is a stream. */
  private itemsOf(
    { context, abortion }: ServerCall,
    replies: EnvelopeReplies,
    failed: (reason: unknown) => void,
  ): RequestItems {
    const { inOrder, host } = this;
    const { payloads } = host;
    const pattern = context.getPattern();
    return new RequestItems({ pattern, replies, payloads, inOrder, failed, abortion });
  }

  private begin(options: ServerCallOptions): ServerCall {
    const call = new ServerCall(this.callHost, options);
    const takeOut = this.calls.add(call);
    call.whenFinished(() => {
      takeOut();
      if (this.calls.size > 0) return;
      for (const resolve of this.idleListeners.splice(0)) resolve();
    });
    return call;
  }
}

function cancelled(): SlimError {
  return new SlimError('aborted', 'the caller cancelled the request');
}

function closing(): SlimError {
  return new SlimError('session-closed', 'the service is closing');
}

function starting(): SlimException {
  const message = 'the service is starting';
  return new SlimException({ code: 'service-starting', message, retryable: true });
}
