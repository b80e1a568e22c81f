import type { SlimError } from '../errors/slim-error.js';

type End = { readonly reason: SlimError | undefined };

/**
 * What arrived and was not read yet: the producer pushes, one or several readers pull. Readers that
 * wait are served in the order they came. It ends once, after everything pushed before was read.
 */
export class Unread<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = [];
  readonly #readers: {
    resolve(result: IteratorResult<Item, undefined>): void;
    reject(reason: SlimError): void;
  }[] = [];
  #end: End | undefined;

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    if (this.#end) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else this.#items.push(item);
  }

  /** Ends the stream: with a reason every further read fails with it, without one it is just over. */
  end(reason?: SlimError): void {
    if (this.#end) return;
    this.#end = { reason };
    for (const reader of this.#readers.splice(0)) finish(reader, reason);
  }

  /** The next item, when there is one. An aborted wait takes nothing. */
  next(signal?: AbortSignal): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    const end = this.#end;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as SlimError);
      if (end) return finish({ resolve, reject }, end.reason);
      const onAbort = (): void => {
        this.#readers.splice(this.#readers.indexOf(reader), 1);
        reject(signal?.reason as SlimError);
      };
      const stop = (): void => signal?.removeEventListener('abort', onAbort);
      const reader = {
        resolve: (result: IteratorResult<Item, undefined>): void => {
          stop();
          resolve(result);
        },
        reject: (reason: SlimError): void => {
          stop();
          reject(reason);
        },
      };
      this.#readers.push(reader);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return { next: () => this.next() };
  }
}

function finish<Item>(
  reader: {
    resolve(result: IteratorResult<Item, undefined>): void;
    reject(reason: SlimError): void;
  },
  reason: SlimError | undefined,
): void {
  if (reason) reader.reject(reason);
  else reader.resolve({ done: true, value: undefined });
}
