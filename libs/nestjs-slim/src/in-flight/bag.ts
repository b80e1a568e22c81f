interface Slot<Value> {
  readonly value: Value;
  at: number;
}

/**
 * Values that come and go all the time, in no order. A `Set` would do the same, but it moves to a new table every
 * few values, and V8 links each old table to the one after it: once one of them has reached the old generation,
 * everything that ever was in the later ones survives until the next full collection, and each small collection
 * copies it (bench case `Nest request/response, 64 in flight`). The `Set` is the oracle in the tests.
 */
export class Bag<Value> implements Iterable<Value> {
  private readonly slots: Slot<Value>[] = [];

  get size(): number {
    return this.slots.length;
  }

  /** Returns what takes it out again, and tells whether it was still in. */
  add(value: Value): () => boolean {
    const slot = { value, at: this.slots.length };
    this.slots.push(slot);
    return () => this.take(slot);
  }

  /** Those that are in when it begins. */
  [Symbol.iterator](): Iterator<Value> {
    return this.slots.map(({ value }) => value)[Symbol.iterator]();
  }

  /** The last one moves to where it was. */
  private take(slot: Slot<Value>): boolean {
    if (this.slots[slot.at] !== slot) return false;
    const last = this.slots.pop();
    if (last === undefined || last === slot) return true;
    last.at = slot.at;
    this.slots[slot.at] = last;
    return true;
  }
}
