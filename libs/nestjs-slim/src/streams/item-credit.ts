import { SlimError } from '@nestjs-slim/core';

/** How many items of a stream may be on their way to a reader that reads one at a time. */
export const defaultCredit = 64;

/** Items of a source that cannot wait, such as an observable, that are kept until the other side takes them. */
export const maxBufferedItems = 2 ** 20;

/** The number of the item after that one. It is 32 bits long, so it begins again at 0. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) >>> 0;
}

/** The sending side of a stream: how many more items the other side takes. */
export class ItemCredit {
  private left: number;
  private readonly waiting: ((mayGo: boolean) => void)[] = [];
  private isClosed = false;

  /** `Infinity` for a reader that sets no limit. */
  constructor(initial: number) {
    this.left = initial;
  }

  /** The other side takes that many more. */
  grant(count: number): void {
    this.left += count;
    while (this.left > 0 && this.waiting.length > 0) {
      this.left -= 1;
      this.waiting.shift()?.(true);
    }
  }

  /** Waits until one more item may go; false when nothing may any more. */
  take(): boolean | Promise<boolean> {
    if (this.isClosed) return false;
    if (this.left === 0) return new Promise((resolve) => this.waiting.push(resolve));
    this.left -= 1;
    return true;
  }

  /** Nothing may go any more; whoever waits is told. */
  close(): void {
    this.isClosed = true;
    for (const resolve of this.waiting.splice(0)) resolve(false);
  }
}

/** The receiving side of a stream: what came in turn, and when to let more come. */
export class ItemReceipt {
  private readonly limit: number;
  private readonly grant: (count: number) => void;
  private expected = 0;
  private unread = 0;
  private read = 0;

  /** `limit` items may be unread; `grant` tells the other side of more room. */
  constructor(limit: number, grant: (count: number) => void) {
    this.limit = limit;
    this.grant = grant;
  }

  /**
   * An item came, or the end, whose number is the one that the next item would have had.
   * @throws SlimError `not-delivered` when one before it was lost
   */
  inTurn(sequence: number): void {
    if (sequence === this.expected) return;
    throw new SlimError('not-delivered', `item ${this.expected} of the stream was lost`);
  }

  /**
   * False for an item that came before: nodes may repeat what an unreliable session sends.
   * @throws SlimError `not-delivered`, `backpressure` when the other side sends more than it may
   */
  accept(sequence: number): boolean {
    // Of the numbers that the rest of 32 bits can be, half are ahead and half are behind.
    if ((sequence - this.expected) >>> 0 >= 2 ** 31) return false;
    this.inTurn(sequence);
    if (this.unread === this.limit) {
      throw new SlimError('backpressure', `more than ${this.limit} items came that nobody read`);
    }
    this.expected = nextSequence(sequence);
    this.unread += 1;
    return true;
  }

  /** An item was read. Room is told of in halves of the limit, not item by item. */
  consumed(): void {
    this.unread -= 1;
    this.read += 1;
    if (this.read * 2 < this.limit) return;
    const count = this.read;
    this.read = 0;
    this.grant(count);
  }
}
