/** Items that came and wait to be read, by one reader. It ends once, after everything that came before was read. */
export class ItemQueue<Item> implements AsyncIterableIterator<Item, undefined> {
  private items: Item[] = [];
  /** Where the unread items begin: taking the first off a long array moves all others. */
  private head = 0;
  private readonly consumed: () => void;
  private readonly stopped: () => void;
  private end: { readonly failure?: { readonly reason: unknown } } | undefined;
  private wake: () => void = () => undefined;

  /** `consumed` hears of each item that is read, `stopped` when the reader wants no more. */
  constructor(consumed: () => void, stopped: () => void = () => undefined) {
    this.consumed = consumed;
    this.stopped = stopped;
  }

  push(item: Item): void {
    if (this.end) return;
    this.items.push(item);
    this.wake();
  }

  complete(): void {
    this.finish({});
  }

  fail(reason: unknown): void {
    this.finish({ failure: { reason } });
  }

  /** Reads one; the next is asked for once this one is given. */
  async next(): Promise<IteratorResult<Item, undefined>> {
    for (;;) {
      if (this.head < this.items.length) {
        const value = this.take();
        this.consumed();
        return { done: false, value };
      }
      if (this.end?.failure) throw this.end.failure.reason;
      if (this.end) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** The reader wants no more. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    const isOver = this.end !== undefined;
    this.items = [];
    this.head = 0;
    this.complete();
    if (!isOver) this.stopped();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private take(): Item {
    const item = this.items[this.head] as Item;
    this.head += 1;
    // Once half of it is read, so that an item costs the same however many wait.
    if (this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  private finish(end: { readonly failure?: { readonly reason: unknown } }): void {
    this.end ??= end;
    this.wake();
  }
}
