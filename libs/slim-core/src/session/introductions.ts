/**
 * Whatever message a receiver gets first is where the stream begins for it. So the first one to a new
 * receiver goes alone until that receiver has it, lest a later one overtakes it and it is never delivered.
 */
export class Introductions {
  readonly #strangers = new Set<string>();
  /** New receivers that have not acknowledged the message that is under way to them. */
  readonly #missing = new Set<string>();

  /** True while other messages have to wait. */
  get isBusy(): boolean {
    return this.#missing.size > 0;
  }

  /** A receiver came that was sent nothing so far. */
  expect(receiver: string): void {
    this.#strangers.add(receiver);
  }

  /** A message goes out to these. */
  begin(receivers: Iterable<string>): void {
    if (this.#strangers.size === 0) return;
    for (const receiver of receivers) {
      if (this.#strangers.has(receiver)) this.#missing.add(receiver);
    }
  }

  /** A receiver has something, or is none any more. Returns true when nothing has to wait now. */
  met(receiver: string): boolean {
    this.#strangers.delete(receiver);
    return this.#missing.delete(receiver) && !this.isBusy;
  }
}
