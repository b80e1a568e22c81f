/**
 * Values by a number below 2^32, which come and go all the time. An object does without what makes a `Map` keep
 * everything alive, see `Bag`; the `Map` is the oracle in the tests.
 */
export class IdMap<Value> {
  private readonly values: Record<number, Value | undefined> = Object.create(null) as Record<
    number,
    Value | undefined
  >;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(id: number): Value | undefined {
    return this.values[id];
  }

  has(id: number): boolean {
    return id in this.values;
  }

  set(id: number, value: Value): void {
    if (!this.has(id)) this.count += 1;
    this.values[id] = value;
  }

  delete(id: number): void {
    if (!this.has(id)) return;
    this.count -= 1;
    delete this.values[id];
  }

  /** From the lowest. */
  ids(): readonly number[] {
    return Object.keys(this.values).map(Number);
  }
}
