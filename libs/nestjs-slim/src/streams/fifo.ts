/** Items in the order they came. An item costs the same however many wait. */
export class Fifo<Item> {
  private items: Item[] = [];
  /** Where the waiting items begin: taking the first off a long array moves all others. */
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: Item): void {
    this.items.push(item);
  }

  /** The first one; undefined when there is none. */
  take(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.items[this.head];
    this.head += 1;
    // Once half of it is gone, so that the rest is moved seldom.
    if (this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
  }
}
