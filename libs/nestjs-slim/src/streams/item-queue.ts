import { Fifo } from './fifo.js';

interface Read<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

interface End {
  readonly failure?: { readonly reason: unknown };
}

/** Items that came and wait to be read, by one reader. It ends once, after everything that came before was read. */
export class ItemQueue<Item> implements AsyncIterableIterator<Item, undefined> {
  private readonly items = new Fifo<Item>();
  /** Reads that wait for an item; there are none while there are items. */
  private readonly reads: Read<Item>[] = [];
  private readonly consumed: () => void;
  private readonly stopped: () => void;
  private end: End | undefined;

  /** `consumed` hears of each item that is read, `stopped` when the reader wants no more. */
  constructor(consumed: () => void, stopped: () => void = () => undefined) {
    this.consumed = consumed;
    this.stopped = stopped;
  }

  /** Nothing more is taken in. */
  get isOver(): boolean {
    return this.end !== undefined;
  }

  /** It is over, and everything that came before was read. */
  get isDone(): boolean {
    return this.isOver && this.items.size === 0;
  }

  push(item: Item): void {
    if (this.end) return;
    const read = this.reads.shift();
    if (read) read.resolve(this.given(item));
    else this.items.push(item);
  }

  complete(): void {
    this.finish({});
  }

  fail(reason: unknown): void {
    this.finish({ failure: { reason } });
  }

  /** Reads one; the next is asked for once this one is given. */
  next(): Promise<IteratorResult<Item, undefined>> {
    return new Promise((resolve, reject) => {
      const read = { resolve, reject };
      if (this.items.size > 0) resolve(this.given(this.items.take() as Item));
      else if (this.end) tellEnd(this.end, read);
      else this.reads.push(read);
    });
  }

  /** The reader wants no more. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    const { isOver } = this;
    this.items.clear();
    this.complete();
    if (!isOver) this.stopped();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private given(value: Item): IteratorResult<Item, undefined> {
    this.consumed();
    return { done: false, value };
  }

  private finish(end: End): void {
    if (this.end) return;
    this.end = end;
    for (const read of this.reads.splice(0)) tellEnd(end, read);
  }
}

function tellEnd<Item>({ failure }: End, { resolve, reject }: Read<Item>): void {
  if (failure) reject(failure.reason);
  else resolve({ done: true, value: undefined });
}
