import {
  SlimError,
  type Metadata,
  type Session,
  type SessionMessage,
  type SlimName,
} from '@nestjs-slim/core';
import { IdMap } from '../in-flight/id-map.js';
import { patternKey } from '../patterns/pattern.js';
import { envelopeKind, type Envelope, type EnvelopeFields } from '../payload/envelope.js';
import { Envelopes } from '../payload/envelopes.js';
import { InOrder } from '../payload/in-order.js';
import { toTexts } from '../payload/metadata.js';
import type { Payloads } from '../payload/payloads.js';
import type { EncodedValue } from '../payload/value.js';
import { defaultCredit } from '../streams/item-credit.js';
import { isItemSource, type ItemSource } from '../streams/pull.js';
import type { CallRoute, ClientCall } from './client-call.js';
import { ItemUpload } from './item-upload.js';
import { isClosing, isLoss } from './loss.js';

/** What is asked or told. */
export interface ClientMessage {
  readonly operation: string;
  readonly data: unknown;
  readonly metadata: Metadata;
}

/** What a client session is made from. */
export interface ClientSessionOptions {
  readonly payloads: Payloads;
  readonly dropped: (reason: SlimError) => void;
  /** Called once, when no new call should use the session: it ended, or its peer takes no messages. */
  readonly unusable: () => void;
}

/** A session with one service, shared by all calls to it: tells their answers apart. */
export class ClientSession implements CallRoute {
  private readonly session: Session;
  private readonly service: string;
  private readonly envelopes: Envelopes;
  private readonly options: ClientSessionOptions;
  /** Calls that wait for their answer. */
  private readonly asking = new IdMap<ClientCall>();
  /** Of those that are streams, what sends their items. */
  private readonly uploads = new Map<number, ItemUpload>();
  private readonly inOrder = new InOrder();
  private readonly telling = new InOrder();
  private lastId = 0;
  private failure: SlimError | undefined;
  private isRetired = false;

  constructor(session: Session, options: ClientSessionOptions) {
    this.session = session;
    this.options = options;
    this.service = session.peer.service;
    this.envelopes = new Envelopes(session, {
      dropped: options.dropped,
      // A peer that acknowledges nothing is likely gone: the next call looks for another.
      failed: (reason) => {
        if (reason instanceof SlimError && reason.code === 'not-delivered') this.giveUp(reason);
      },
    });
    void session.ended.then(() => this.retire());
    void this.read();
  }

  /** Full name of the instance on the other side. */
  get peer(): SlimName {
    return this.session.peer;
  }

  /** Calls that wait for their answer. */
  get pending(): number {
    return this.asking.size;
  }

  /** Asks; the call gets the answers, or why there are none. */
  request(message: ClientMessage, call: ClientCall): void {
    const correlationId = this.freeId();
    this.asking.set(correlationId, call);
    call.routed(this, correlationId);
    if (isItemSource(message.data)) {
      void this.stream(message, message.data, { call, correlationId });
      return;
    }
    const failed = (reason: unknown): void => this.unasked(correlationId, reason);
    const ask = (encoded: EncodedValue): void => {
      // It may have been cancelled meanwhile, and a cancel must not come before its request.
      if (this.asking.has(correlationId)) {
        this.ask(message, { call, correlationId }, encoded).catch(failed);
      }
    };
    try {
      const encoded = this.encoded(message);
      if (encoded instanceof Promise) encoded.then(ask).catch(failed);
      else ask(encoded);
    } catch (reason) {
      failed(reason);
    }
  }

  /** The answer to a call is not wanted any more. */
  cancel(correlationId: number): void {
    if (this.forget(correlationId)) this.tell({ kind: envelopeKind.cancel, correlationId });
  }

  /** A call takes that many more items. */
  grant(correlationId: number, credit: number): void {
    this.tell({ kind: envelopeKind.credit, correlationId, credit });
  }

  /** Tells. @throws SlimError as `Session.publish`, and `malformed-frame` for data that cannot be encoded */
  async emit(message: ClientMessage): Promise<void> {
    const { operation } = message;
    const encoded = this.encoded(message);
    await new Promise<void>((resolve, reject) => {
      const tell = (made: EncodedValue): void => {
        const event = { kind: envelopeKind.event, operation, metadata: toTexts(message.metadata) };
        resolve(this.envelopes.send({ ...event, ...made }));
      };
      this.telling.run(encoded, tell, reject);
    });
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private ask(
    message: ClientMessage,
    { call, correlationId }: Asking,
    { contentType, data }: EncodedValue,
  ): Promise<void> {
    return this.envelopes.send({
      kind: envelopeKind.request,
      correlationId,
      operation: message.operation,
      deadlineMs: call.deadlineMs,
      metadata: toTexts(message.metadata),
      contentType,
      data,
      credit: defaultCredit,
      streams: isItemSource(message.data),
    });
  }

  /** Asks by a stream. Settles, never fails, when everything was sent or nothing more is wanted. */
  private async stream(message: ClientMessage, source: ItemSource, asking: Asking): Promise<void> {
    const { call, correlationId } = asking;
    const { payloads } = this.options;
    const pattern = this.patternOf(message);
    const upload = new ItemUpload({
      source,
      encode: (item) => payloads.encodeRequest(pattern, item),
      encodeError: (reason) => payloads.encodeError(reason),
      publish: (fields) => this.envelopes.send({ ...fields, correlationId }),
      failed: (reason) => {
        this.cancel(correlationId);
        call.fail(reason);
      },
    });
    this.uploads.set(correlationId, upload);
    try {
      await this.ask(message, asking, noValue);
    } catch (reason) {
      return this.unasked(correlationId, reason);
    }
    await upload.run();
  }

  /** A request that could not be sent. */
  private unasked(correlationId: number, reason: unknown): void {
    const call = this.forget(correlationId);
    if (isLoss(reason)) call?.lost(reason);
    else call?.fail(reason);
  }

  private encoded(message: ClientMessage): EncodedValue | Promise<EncodedValue> {
    return this.options.payloads.encodeRequest(this.patternOf(message), message.data);
  }

  private patternOf({ operation }: ClientMessage): string {
    return patternKey(this.service, operation);
  }

  /** For what nobody waits for: not delivered means that the other side is gone, which ends the session. */
  private tell(fields: EnvelopeFields): void {
    this.envelopes.send(fields).catch(() => undefined);
  }

  private giveUp(reason: SlimError): void {
    this.failure ??= reason;
    this.retire();
    void this.session.close();
  }

  /** Before the calls hear of it, so that one that asks again does not get this session. */
  private retire(): void {
    if (this.isRetired) return;
    this.isRetired = true;
    this.options.unusable();
  }

  private forget(correlationId: number): ClientCall | undefined {
    const call = this.asking.get(correlationId);
    if (!call) return undefined;
    this.asking.delete(correlationId);
    this.uploads.get(correlationId)?.stop();
    this.uploads.delete(correlationId);
    if (this.isRetired) this.closeWhenIdle();
    return call;
  }

  /** A session that gets no new calls goes with the last of those that it has. */
  private closeWhenIdle(): void {
    if (this.asking.size === 0) void this.session.close();
  }

  private async read(): Promise<void> {
    try {
      for await (const message of this.session) this.receive(message);
    } catch {
      // The reason is the one that `ended` gives below.
    }
    const reason = this.failure ?? (await this.session.ended);
    const why = reason ?? new SlimError('session-closed', 'the client is closed');
    // After what came before the end and is still being decoded.
    this.inOrder.run(
      undefined,
      () => this.lose(why),
      (reason) => this.options.dropped(SlimError.from(reason, 'session-closed')),
    );
  }

  private lose(reason: SlimError): void {
    for (const correlationId of this.asking.ids()) {
      this.forget(correlationId)?.lost(reason);
    }
  }

  private receive(message: SessionMessage): void {
    // A service answers with envelopes; what else it publishes here belongs to no call.
    this.envelopes.read(message, (envelope) => this.answer(envelope));
  }

  private answer(envelope: Envelope): void {
    const { kind, correlationId } = envelope;
    const call = this.asking.get(correlationId);
    // An answer may cross the message that cancels it.
    if (!call) return;
    if (kind === envelopeKind.credit) {
      this.uploads.get(correlationId)?.grant(envelope.credit);
      return;
    }
    if (isLast(envelope)) this.forget(correlationId);
    const fail = (reason: unknown): void => {
      this.cancel(correlationId);
      call.fail(reason);
    };
    try {
      const give = (value: unknown): void => this.give(call, envelope, value);
      this.inOrder.run(this.valueOf(envelope), give, fail);
    } catch (reason) {
      fail(reason);
    }
  }

  /** @throws SlimError `malformed-frame` */
  private valueOf(envelope: Envelope): unknown {
    const { payloads } = this.options;
    if (envelope.kind === envelopeKind.item) return payloads.decodeResponse(envelope);
    return envelope.kind === envelopeKind.error ? payloads.decodeError(envelope) : undefined;
  }

  /** @throws SlimError `not-delivered` when an item before it was lost */
  private give(call: ClientCall, envelope: Envelope, value: unknown): void {
    switch (envelope.kind) {
      case envelopeKind.item:
        return call.item(value, envelope);
      case envelopeKind.end:
        return call.end(envelope.sequence);
      case envelopeKind.error:
        if (!isClosing(value)) return call.fail(value);
        this.retire();
        this.closeWhenIdle();
        return call.lost(value);
      default:
        // Kinds of later versions are skipped.
        return undefined;
    }
  }

  /** Never 0, which events have. */
  private freeId(): number {
    do this.lastId = this.lastId === maxId ? 1 : this.lastId + 1;
    while (this.asking.has(this.lastId));
    return this.lastId;
  }
}

const maxId = 2 ** 32 - 1;

/** A call and what the session knows it by. */
interface Asking {
  readonly call: ClientCall;
  readonly correlationId: number;
}

const noValue: EncodedValue = { contentType: '', data: undefined };

/** Nothing comes after it. */
function isLast({ kind, last }: Envelope): boolean {
  if (kind === envelopeKind.item) return last;
  return kind === envelopeKind.end || kind === envelopeKind.error;
}
