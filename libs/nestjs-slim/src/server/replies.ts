import type { SessionMessage } from '@nestjs-slim/core';
import { envelopeKind, type Envelope, type EnvelopeFields } from '../payload/envelope.js';
import type { Envelopes } from '../payload/envelopes.js';
import {
  writeForeign,
  writeForeignError,
  type ForeignPayload,
} from '../payload/foreign-payload.js';
import type { Payloads } from '../payload/payloads.js';
import { errorValue } from '../payload/rpc-error.js';
import type { EncodedValue } from '../payload/value.js';

/** Where an item stands in its stream. */
export interface ItemPlace {
  readonly sequence: number;
  readonly isLast: boolean;
}

/** How the answers to one message are published. What publishes settles once the other side has it. */
export interface Replies<Encoded = unknown> {
  /** A value as `item` takes it. @throws SlimError `malformed-frame` */
  encode(value: unknown): Encoded | Promise<Encoded>;
  item(encoded: Encoded, place: ItemPlace): Promise<void>;
  end(sequence: number): Promise<void>;
  error(reason: unknown): Promise<void>;
  /** Lets the other side send that many more items of its request. */
  grant(credit: number): Promise<void>;
}

/** Answers to a request of this library. */
export class EnvelopeReplies implements Replies<EncodedValue> {
  private readonly envelopes: Envelopes;
  private readonly request: Pick<Envelope, 'correlationId' | 'contentType'>;
  private readonly payloads: Payloads;

  constructor(
    envelopes: Envelopes,
    request: Pick<Envelope, 'correlationId' | 'contentType'>,
    payloads: Payloads,
  ) {
    this.envelopes = envelopes;
    this.request = request;
    this.payloads = payloads;
  }

  encode(value: unknown): EncodedValue | Promise<EncodedValue> {
    return this.payloads.encodeResponse(value, this.request.contentType);
  }

  item({ contentType, data }: EncodedValue, { sequence, isLast }: ItemPlace): Promise<void> {
    const { correlationId } = this.request;
    const kind = envelopeKind.item;
    return this.envelopes.send({ kind, correlationId, contentType, data, last: isLast, sequence });
  }

  end(sequence: number): Promise<void> {
    return this.publish({ kind: envelopeKind.end, sequence });
  }

  async error(reason: unknown): Promise<void> {
    const encoded = this.payloads.encodeError(reason, this.request.contentType);
    await this.publish({ kind: envelopeKind.error, ...encoded });
  }

  grant(credit: number): Promise<void> {
    return this.publish({ kind: envelopeKind.credit, credit });
  }

  private publish(fields: EnvelopeFields): Promise<void> {
    return this.envelopes.send({ ...fields, correlationId: this.request.correlationId });
  }
}

/** Answers to a peer that knows nothing of Nest: each value is a message of its own, and no end is told. */
export class ForeignReplies implements Replies<ForeignPayload | undefined> {
  private readonly message: SessionMessage;

  constructor(message: SessionMessage) {
    this.message = message;
  }

  encode(value: unknown): ForeignPayload | undefined {
    return writeForeign(value);
  }

  async item(encoded: ForeignPayload | undefined): Promise<void> {
    if (!encoded) return;
    const { payload, payloadType } = encoded;
    await this.message.reply(payload, { payloadType });
  }

  async end(): Promise<void> {
    // Such a peer is told no end.
  }

  async error(reason: unknown): Promise<void> {
    const { payload, ...options } = writeForeignError(errorValue(reason));
    await this.message.reply(payload, options);
  }

  async grant(): Promise<void> {
    // Such a peer sends no items.
  }
}
