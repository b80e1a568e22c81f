import { SlimError } from '../errors/slim-error.js';

/** Items that wait while the handler is busy; nobody has verified them yet, and who sent them repeats them. */
const maxWaiting = 16_384;

/**
 * Handles items one after the other: at once while the handler is synchronous, in order behind it while
 * it is busy. So data waits for the key change before it, and otherwise for nothing.
 */
export class SerialInbox<Item> {
  readonly #handle: (item: Item) => void | Promise<void>;
  readonly #failed: (reason: unknown) => void;
  readonly #waiting: Item[] = [];
  #busy = false;

  /** `failed` gets what the handler threw; the next item is handled all the same. */
  constructor(handle: (item: Item) => void | Promise<void>, failed: (reason: unknown) => void) {
    this.#handle = handle;
    this.#failed = failed;
  }

  push(item: Item): void {
    if (this.#waiting.length >= maxWaiting) {
      return this.#failed(new SlimError('backpressure', `${maxWaiting} messages wait already`));
    }
    this.#waiting.push(item);
    if (!this.#busy) this.#run();
  }

  #run(): void {
    this.#busy = true;
    for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift()) {
      try {
        const pending = this.#handle(item);
        if (pending) {
          void pending.catch(this.#failed).finally(() => this.#run());
          return;
        }
      } catch (reason) {
        this.#failed(reason);
      }
    }
    this.#busy = false;
  }
}
