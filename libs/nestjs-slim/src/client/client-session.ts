import {
  SlimError,
  type Metadata,
  type Session,
  type SessionMessage,
  type SlimName,
} from '@nestjs-slim/core';
import { patternKey } from '../patterns/pattern.js';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
} from '../payload/envelope.js';
import { InOrder } from '../payload/in-order.js';
import type { Payloads } from '../payload/payloads.js';
import { defaultCredit } from '../streams/item-credit.js';
import { isItemSource } from '../streams/pull.js';
import type { ClientCall } from './client-call.js';
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

/** A call that waits for its answer. */
interface Asking {
  readonly call: ClientCall;
  /** Sends what the request is made of, when it is a stream. */
  readonly upload: ItemUpload | undefined;
}

/** A session with one service, shared by all calls to it: tells their answers apart. */
export class ClientSession {
  private readonly session: Session;
  private readonly options: ClientSessionOptions;
  private readonly asking = new Map<number, Asking>();
  private readonly inOrder = new InOrder();
  private readonly telling = new InOrder();
  private lastId = 0;
  private failure: SlimError | undefined;
  private isRetired = false;

  constructor(session: Session, options: ClientSessionOptions) {
    this.session = session;
    this.options = options;
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
  async request(message: ClientMessage, call: ClientCall): Promise<void> {
    const correlationId = this.freeId();
    const upload = this.uploadOf(message, call, correlationId);
    this.asking.set(correlationId, { call, upload });
    call.route = {
      cancel: () => this.cancel(correlationId),
      grant: (credit) => this.tell({ kind: envelopeKind.credit, correlationId, credit }),
    };
    const { deadlineMs } = call;
    const request = {
      kind: envelopeKind.request,
      correlationId,
      deadlineMs,
      credit: defaultCredit,
    };
    try {
      const content = upload
        ? { ...this.head(message), streams: true }
        : await this.content(message);
      // It may have been cancelled meanwhile, and a cancel must not come before its request.
      if (!this.asking.has(correlationId)) return;
      await this.publish({ ...request, ...content });
    } catch (reason) {
      this.forget(correlationId);
      if (isLoss(reason)) call.lost(reason);
      else call.fail(reason);
      return;
    }
    await upload?.run();
  }

  /** Tells. @throws SlimError as `Session.publish`, and `malformed-frame` for data that cannot be encoded */
  async emit(message: ClientMessage): Promise<void> {
    const content = this.content(message);
    await new Promise<void>((resolve, reject) => {
      const tell = (made: Partial<Envelope>): void =>
        resolve(this.publish({ kind: envelopeKind.event, ...made }));
      this.telling.run(content, tell, reject);
    });
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private uploadOf(
    { data, operation }: ClientMessage,
    call: ClientCall,
    correlationId: number,
  ): ItemUpload | undefined {
    if (!isItemSource(data)) return undefined;
    const { payloads } = this.options;
    const pattern = patternKey(this.session.peer.service, operation);
    return new ItemUpload({
      source: data,
      encode: (item) => payloads.encodeRequest(pattern, item),
      encodeError: (reason) => payloads.encodeError(reason),
      publish: (fields) => this.publish({ ...fields, correlationId }),
      failed: (reason) => {
        this.cancel(correlationId);
        call.fail(reason);
      },
    });
  }

  private head({ operation, metadata }: ClientMessage): Partial<Envelope> {
    return { operation, metadata: new Map(Object.entries(metadata)) };
  }

  private async content(message: ClientMessage): Promise<Partial<Envelope>> {
    const pattern = patternKey(this.session.peer.service, message.operation);
    const encoded = this.options.payloads.encodeRequest(pattern, message.data);
    return { ...this.head(message), ...(encoded instanceof Promise ? await encoded : encoded) };
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

  /** For what nobody waits for: not delivered means that the other side is gone, which ends the session. */
  private tell(fields: Partial<Envelope>): void {
    this.publish(fields).catch(() => undefined);
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

  private forget(correlationId: number): Asking | undefined {
    const asking = this.asking.get(correlationId);
    this.asking.delete(correlationId);
    asking?.upload?.stop();
    if (asking && this.isRetired) this.closeWhenIdle();
    return asking;
  }

  /** A session that gets no new calls goes with the last of those that it has. */
  private closeWhenIdle(): void {
    if (this.asking.size === 0) void this.session.close();
  }

  private cancel(correlationId: number): void {
    if (this.forget(correlationId)) this.tell({ kind: envelopeKind.cancel, correlationId });
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
    for (const correlationId of [...this.asking.keys()]) {
      this.forget(correlationId)?.call.lost(reason);
    }
  }

  private receive(message: SessionMessage): void {
    // A service answers with envelopes; what else it publishes here belongs to no call.
    if (message.payloadType !== envelopePayloadType) return;
    try {
      this.answer(decodeEnvelope(message.payload));
    } catch (reason) {
      this.options.dropped(SlimError.from(reason, 'malformed-frame'));
    }
  }

  private answer(envelope: Envelope): void {
    const { kind, correlationId } = envelope;
    const asking = this.asking.get(correlationId);
    // An answer may cross the message that cancels it.
    if (!asking) return;
    const { call } = asking;
    if (kind === envelopeKind.credit) return asking.upload?.grant(envelope.credit);
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

/** Nothing comes after it. */
function isLast({ kind, last }: Envelope): boolean {
  if (kind === envelopeKind.item) return last;
  return kind === envelopeKind.end || kind === envelopeKind.error;
}
