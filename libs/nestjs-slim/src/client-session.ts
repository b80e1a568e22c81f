import { SlimError, type Metadata, type Session, type SessionMessage } from '@nestjs-slim/core';
import type { ClientCall } from './client-call.js';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
} from './envelope.js';
import { decodeValue, encodeValue } from './value.js';

/** What is asked or told. */
export interface ClientMessage {
  readonly operation: string;
  readonly data: unknown;
  readonly metadata: Metadata;
}

/** A session with one service, shared by all calls to it: tells their answers apart. */
export class ClientSession {
  /** Settles when no new call should use the session: it ended, or its peer does not take messages. */
  readonly unusable: Promise<void>;
  private readonly session: Session;
  private readonly dropped: (reason: SlimError) => void;
  private readonly calls = new Map<number, ClientCall>();
  private lastId = 0;
  private failure: SlimError | undefined;
  private retire: () => void = () => undefined;

  constructor(session: Session, dropped: (reason: SlimError) => void) {
    this.session = session;
    this.dropped = dropped;
    this.unusable = new Promise((resolve) => (this.retire = resolve));
    void session.ended.then(() => this.retire());
    void this.read();
  }

  /** Asks; the call gets the answers, or why there are none. */
  async request(message: ClientMessage, call: ClientCall): Promise<void> {
    const correlationId = this.freeId();
    this.calls.set(correlationId, call);
    call.whenAbandoned(() => this.cancel(correlationId));
    const { deadlineMs } = call;
    try {
      await this.publish({
        kind: envelopeKind.request,
        correlationId,
        deadlineMs,
        ...content(message),
      });
    } catch (reason) {
      this.calls.delete(correlationId);
      call.fail(reason);
    }
  }

  /** Tells. @throws SlimError as `Session.publish`, and `malformed-frame` for data that cannot be encoded */
  async emit(message: ClientMessage): Promise<void> {
    await this.publish({ kind: envelopeKind.event, ...content(message) });
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private async publish(fields: Partial<Envelope>): Promise<void> {
    try {
      await this.session.publish(encodeEnvelope(fields), { payloadType: envelopePayloadType });
    } catch (reason) {
      // A peer that acknowledges nothing is likely gone: the next call looks for another.
      if (reason instanceof SlimError && reason.code === 'not-delivered') this.giveUp(reason);
      throw reason;
    }
  }

  private giveUp(reason: SlimError): void {
    this.failure ??= reason;
    this.retire();
    void this.session.close();
  }

  private cancel(correlationId: number): void {
    if (!this.calls.delete(correlationId)) return;
    // Not delivered means that the other side is gone, and then there is nothing to cancel.
    this.publish({ kind: envelopeKind.cancel, correlationId }).catch(() => undefined);
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.session) this.receive(message);
    } catch {
      // The reason is the one that `ended` gives below.
    }
    const reason = this.failure ?? (await this.session.ended);
    const why = reason ?? new SlimError('session-closed', 'the client is closed');
    for (const call of this.calls.values()) call.fail(why);
    this.calls.clear();
  }

  private receive(message: SessionMessage): void {
    // A service answers with envelopes; what else it publishes here belongs to no call.
    if (message.payloadType !== envelopePayloadType) return;
    try {
      this.answer(decodeEnvelope(message.payload));
    } catch (reason) {
      this.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  private answer(envelope: Envelope): void {
    const { kind, correlationId, last } = envelope;
    const call = this.calls.get(correlationId);
    // An answer may cross the message that cancels it.
    if (!call) return;
    const isLast = last || kind === envelopeKind.end || kind === envelopeKind.error;
    if (isLast) this.calls.delete(correlationId);
    try {
      give(call, envelope);
    } catch (reason) {
      this.cancel(correlationId);
      call.fail(reason);
    }
  }

  /** Never 0, which events have. */
  private freeId(): number {
    do this.lastId = this.lastId === maxId ? 1 : this.lastId + 1;
    while (this.calls.has(this.lastId));
    return this.lastId;
  }
}

const maxId = 2 ** 32 - 1;

/** @throws SlimError `malformed-frame` */
function give(call: ClientCall, envelope: Envelope): void {
  switch (envelope.kind) {
    case envelopeKind.item:
      return call.item(decodeValue(envelope), envelope.last);
    case envelopeKind.end:
      return call.end();
    case envelopeKind.error:
      return call.fail(decodeValue(envelope));
    default:
      // Kinds of later versions are skipped.
      return undefined;
  }
}

function content({ operation, data, metadata }: ClientMessage): Partial<Envelope> {
  return { operation, metadata: new Map(Object.entries(metadata)), ...encodeValue(data) };
}
