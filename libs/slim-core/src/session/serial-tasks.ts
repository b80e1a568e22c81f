/** Runs asynchronous tasks one after the other; one that fails does not stop the next. */
export class SerialTasks {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the task does, once it had its turn. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
