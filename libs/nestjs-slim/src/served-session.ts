import { SlimError, type Clock, type Session, type SessionMessage } from '@nestjs-slim/core';
import { decodeEnvelope, envelopeKind, envelopePayloadType, type Envelope } from './envelope.js';
import { readForeign } from './foreign-payload.js';
import type { Handlers } from './handler-table.js';
import { envelopeReplies, foreignReplies } from './replies.js';
import { transportError } from './rpc-error.js';
import { ServerCall, type ServerCallOptions } from './server-call.js';
import { decodeValue } from './value.js';

/** What a served session asks of the server it belongs to. */
export interface SessionHost {
  readonly clock: Clock;
  /** False once the server is closing: nothing new is begun. */
  isOpen(): boolean;
  find(key: string): Handlers | undefined;
  /** Runs a message handler; the call gets its replies and its end. */
  request(call: ServerCall, handlers: Handlers & { readonly kind: 'message' }, data: unknown): void;
  /** Runs the event handlers of a pattern, if there are any, and ends the call. */
  event(call: ServerCall, data: unknown): void;
  dropped(reason: SlimError): void;
}

/** A session that somebody else opened: reads it to its end and hands its messages to handlers, all at once. */
export class ServedSession {
  private readonly session: Session;
  private readonly host: SessionHost;
  private readonly service: string;
  private readonly calls = new Set<ServerCall>();
  private readonly requests = new Map<number, ServerCall>();

  constructor(session: Session, host: SessionHost) {
    this.session = session;
    this.host = host;
    this.service = session.name.service;
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

  /** Settles when the calls of this moment are finished. */
  async idle(): Promise<void> {
    await Promise.all([...this.calls].map((call) => call.finished));
  }

  /** Ends what is still at work, then the session. */
  async close(reason: SlimError): Promise<void> {
    for (const call of this.calls) call.abort(reason);
    await this.session.close();
  }

  private receive(message: SessionMessage): void {
    if (message.payloadType !== envelopePayloadType) return this.foreign(message);
    try {
      this.envelope(message, decodeEnvelope(message.payload));
    } catch (reason) {
      // Whose answer it would be is not known.
      this.host.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  private envelope(message: SessionMessage, envelope: Envelope): void {
    switch (envelope.kind) {
      case envelopeKind.request:
        return this.request(message, envelope);
      case envelopeKind.event:
        return this.event(message, envelope);
      case envelopeKind.cancel: {
        const reason = new SlimError('aborted', 'the caller cancelled the request');
        return this.requests.get(envelope.correlationId)?.abort(reason);
      }
      default:
        // What answers are made of is not for this side; kinds of later versions are skipped.
        return undefined;
    }
  }

  private request(message: SessionMessage, envelope: Envelope): void {
    const { operation, correlationId, deadlineMs } = envelope;
    if (this.requests.has(correlationId)) {
      throw new SlimError('malformed-frame', `request ${correlationId} is open already`);
    }
    const metadata = Object.fromEntries(envelope.metadata);
    const replies = envelopeReplies(message, correlationId);
    const call = this.begin(message, { operation, metadata, deadlineMs, replies });
    this.requests.set(correlationId, call);
    void call.finished.then(() => this.requests.delete(correlationId));
    this.answer(call, () => decodeValue(envelope));
  }

  private event(message: SessionMessage, envelope: Envelope): void {
    const data = decodeValue(envelope);
    if (!this.host.isOpen()) throw closing();
    const { operation } = envelope;
    const metadata = Object.fromEntries(envelope.metadata);
    const call = this.begin(message, { operation, metadata });
    this.host.event(call, data);
  }

  private foreign(message: SessionMessage): void {
    const { metadata } = message;
    const isEvent = this.host.find(this.service)?.kind === 'event';
    const answers = isEvent ? {} : { replies: foreignReplies(message) };
    const call = this.begin(message, { metadata, ...answers, isForeign: true });
    this.answer(call, () => readForeign(message));
  }

  /** Nest's part, unless it is clear already what the answer is. */
  private answer(call: ServerCall, read: () => unknown): void {
    const key = call.context.getPattern();
    const handlers = this.host.find(key);
    try {
      if (!this.host.isOpen()) throw closing();
      const data = read();
      if (handlers?.kind === 'message') return this.host.request(call, handlers, data);
      if (handlers && call.context.isForeign()) return this.host.event(call, data);
    } catch (reason) {
      return void call.refuse(reason);
    }
    const why = handlers ? `"${key}" takes events only` : `no handler for "${key}"`;
    return void call.refuse(transportError('no-handler', why));
  }

  private begin(
    message: SessionMessage,
    options: Pick<ServerCallOptions, 'metadata'> & Partial<ServerCallOptions>,
  ): ServerCall {
    const { session, service, host } = this;
    const call = new ServerCall({
      clock: host.clock,
      session,
      message,
      service,
      operation: '',
      deadlineMs: 0,
      isForeign: false,
      failed: (reason) => host.dropped(SlimError.from(reason, 'not-delivered')),
      ...options,
    });
    this.calls.add(call);
    void call.finished.then(() => this.calls.delete(call));
    return call;
  }
}

function closing(): SlimError {
  return new SlimError('session-closed', 'the service is closing');
}
