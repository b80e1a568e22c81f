/** Goes on with values in the order they were asked for, also when some of them are still being made. */
export class InOrder {
  private last: Promise<void> | undefined;

  /** `failed` hears, in its turn, of a value that could not be made; neither it nor `work` must throw. */
  run<Value>(
    value: Value | Promise<Value>,
    work: (value: Value) => void,
    failed: (reason: unknown) => void,
  ): void {
    if (!this.last && !(value instanceof Promise)) return work(value);
    const turn = Promise.allSettled([value, this.last]).then(([made]) =>
      made.status === 'fulfilled' ? work(made.value) : failed(made.reason),
    );
    this.last = turn;
    void turn.then(() => {
      if (this.last === turn) this.last = undefined;
    });
  }
}
