import { ItemReceipt } from './item-credit.js';
import { ItemQueue } from './item-queue.js';

/** The items of one stream as they come in, until they are read. */
export class IncomingItems<Item = unknown> {
  readonly queue: ItemQueue<Item>;
  private readonly receipt: ItemReceipt;

  /** `limit` items may be unread, `grant` asks for more, `stopped` hears that the reader wants none. */
  constructor(limit: number, grant: (count: number) => void, stopped?: () => void) {
    this.receipt = new ItemReceipt(limit, grant);
    this.queue = new ItemQueue(() => this.receipt.consumed(), stopped);
  }

  /**
   * What comes after the end, or after the reader left, is skipped.
   * @throws SlimError `not-delivered` when one before it was lost, `backpressure` when it is too many
   */
  item(value: Item, sequence: number): void {
    if (this.queue.isOver) return;
    if (this.receipt.accept(sequence)) this.queue.push(value);
  }

  /** @throws SlimError `not-delivered` when one before it was lost */
  end(sequence: number): void {
    if (this.queue.isOver) return;
    this.receipt.inTurn(sequence);
    this.queue.complete();
  }

  fail(reason: unknown): void {
    this.queue.fail(reason);
  }
}
