import { SlimError } from '@nestjs-slim/core';
import { envelopeKind, type Envelope } from '../payload/envelope.js';
import type { InOrder } from '../payload/in-order.js';
import type { Payloads } from '../payload/payloads.js';
import { exceptionOf } from '../payload/rpc-error.js';
import { IncomingItems } from '../streams/incoming-items.js';
import { defaultCredit } from '../streams/item-credit.js';
import { QueuedItemStream, type ItemStream } from '../streams/item-stream.js';
import type { Abortion } from './abortion.js';
import type { Replies } from './replies.js';

/** What the items of a request are read with. */
export interface RequestItemsOptions {
  readonly pattern: string;
  readonly replies: Replies;
  readonly payloads: Payloads;
  readonly inOrder: InOrder;
  /** Aborted when the call is over before its items are. */
  readonly abortion: Abortion;
  /** An item could not be read. */
  readonly failed: (reason: unknown) => void;
}

/** What comes after a request that is a stream: its items, its end or how it failed. */
export class RequestItems {
  private readonly options: RequestItemsOptions;
  private readonly items: IncomingItems;

  constructor(options: RequestItemsOptions) {
    this.options = options;
    this.items = new IncomingItems(defaultCredit, (credit) => this.grant(credit));
    const { abortion } = options;
    abortion.whenAborted(() => this.abort(abortion.reason));
  }

  /** What the handler gets. Nothing comes before it was opened. */
  open(): ItemStream {
    this.grant(defaultCredit);
    return new QueuedItemStream(this.items.queue);
  }

  /** An envelope that is part of the stream. Never throws. */
  take(envelope: Envelope): void {
    const { inOrder } = this.options;
    try {
      inOrder.run(this.read(envelope), (put) => put(), this.fail);
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Nothing more will come. */
  abort(reason: unknown): void {
    // So that a handler that lets it through is not taken for one that has a bug.
    this.items.fail(reason instanceof SlimError ? exceptionOf(reason) : reason);
  }

  /** What the envelope does to the stream, once it is decoded. */
  private read(envelope: Envelope): (() => void) | Promise<() => void> {
    const { payloads, pattern } = this.options;
    const { kind, sequence } = envelope;
    if (kind === envelopeKind.end) return () => this.items.end(sequence);
    if (kind === envelopeKind.error) {
      const reason = payloads.decodeError(envelope);
      return () => this.items.fail(reason);
    }
    const value = payloads.decodeRequest(pattern, envelope);
    if (!(value instanceof Promise)) return () => this.items.item(value, sequence);
    return value.then((known: unknown) => () => this.items.item(known, sequence));
  }

  private readonly fail = (reason: unknown): void => {
    this.abort(reason);
    this.options.failed(reason);
  };

  private grant(credit: number): void {
    // Not delivered means that the caller is gone, which the session tells.
    this.options.replies.grant(credit).catch(() => undefined);
  }
}
