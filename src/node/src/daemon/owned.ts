/** Something that has to be closed once. */
export interface Closable {
  close?(): void | Promise<void>;
}

/** What one owner opened, closed in the reverse order. */
export class Owned {
  readonly #closables: Closable[] = [];
  #closing: Promise<void> | undefined;

  /** Takes it into care and hands it back. */
  add<Opened extends Closable | undefined>(opened: Opened): Opened {
    if (opened) this.#closables.push(opened);
    return opened;
  }

  /** Closes everything, each even when one before it failed; then throws the first failure. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    for (const closable of this.#closables.toReversed()) {
      try {
        await closable.close?.();
      } catch (reason) {
        failures.push(reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
