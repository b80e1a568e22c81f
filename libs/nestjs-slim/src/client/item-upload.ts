import { envelopeKind, type EnvelopeFields } from '../payload/envelope.js';
import type { EncodedValue } from '../payload/value.js';
import { maxBufferedItems } from '../streams/item-credit.js';
import { ItemSender } from '../streams/item-sender.js';
import { letGo, pull, type ItemSource } from '../streams/pull.js';

/** What the items of a request are sent with. */
export interface ItemUploadOptions {
  readonly source: ItemSource;
  encode(item: unknown): EncodedValue | Promise<EncodedValue>;
  encodeError(reason: unknown): EncodedValue;
  publish(fields: EnvelopeFields): Promise<void>;
  /** An item could not be sent. */
  failed(reason: unknown): void;
}

/** Sends the items of a request that is a stream, as fast as the other side takes them. */
export class ItemUpload {
  private readonly options: ItemUploadOptions;
  private readonly sender: ItemSender;
  private items: AsyncIterator<unknown> | undefined;
  private isOver = false;

  constructor(options: ItemUploadOptions) {
    this.options = options;
    this.sender = new ItemSender(0, (reason) => this.fail(reason));
  }

  /** The other side takes that many more items. */
  grant(count: number): void {
    this.sender.credit.grant(count);
  }

  /** Settles, never fails, when everything was sent or nothing more is wanted. */
  async run(): Promise<void> {
    try {
      while (await this.sender.credit.take()) {
        if (!(await this.sendNext())) return;
      }
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Nothing more is wanted: the source is told. */
  stop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.sender.credit.close();
    if (this.items) void letGo(this.options.source, this.items);
  }

  /** False when the source is at its end. */
  private async sendNext(): Promise<boolean> {
    const { options } = this;
    const { done, value } = await this.next();
    if (this.isOver) return false;
    if (done) {
      this.isOver = true;
      await options.publish({ kind: envelopeKind.end, sequence: this.sender.sequence });
      return false;
    }
    const encoded = await options.encode(value);
    if (this.isOver) return false;
    await this.sender.publish((sequence) =>
      options.publish({ kind: envelopeKind.item, sequence, ...encoded }),
    );
    return true;
  }

  /** A source that fails is no failure of the call: the other side is told, and answers what it likes. */
  private async next(): Promise<IteratorResult<unknown>> {
    try {
      this.items ??= pull(this.options.source, maxBufferedItems);
      return await this.items.next();
    } catch (reason) {
      if (!this.isOver) {
        this.isOver = true;
        const encoded = this.options.encodeError(reason);
        await this.options.publish({ kind: envelopeKind.error, ...encoded });
      }
      return { done: true, value: undefined };
    }
  }

  private fail(reason: unknown): void {
    this.stop();
    this.options.failed(reason);
  }
}
