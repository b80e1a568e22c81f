/** Goes on with values in the order they were asked for, also when some of them are still being made. */
export class InOrder {
  private last: Promise<void> | undefined;

  /** `failed` hears, in its turn, of a value that could not be made and of what `work` throws; it must not throw. */
  run<Value>(
    value: Value | Promise<Value>,
    work: (value: Value) => void,
    failed: (reason: unknown) => void,
  ): void {
    const goOn = (made: Value): void => {
      try {
        work(made);
      } catch (reason) {
        failed(reason);
      }
    };
    if (!this.last && !(value instanceof Promise)) return goOn(value);
    const turn = Promise.allSettled([value, this.last]).then(([made]) =>
      made.status === 'fulfilled' ? goOn(made.value) : failed(made.reason),
    );
    this.last = turn;
    void turn.then(() => {
      if (this.last === turn) this.last = undefined;
    });
  }
}
