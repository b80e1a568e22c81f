import { ItemQueue } from '../streams/item-queue.js';
import type { ClientCall } from './client-call.js';

/**
 * The answer to a request, read item by item: the first read asks, and leaving cancels at once, also
 * while an item is waited for.
 */
export class PulledAnswer<Item> implements AsyncIterableIterator<Item, undefined> {
  private readonly ask: (items: ItemQueue<Item>) => ClientCall;
  private readonly items: ItemQueue<Item>;
  private call: ClientCall | undefined;

  constructor(ask: (items: ItemQueue<Item>) => ClientCall) {
    this.ask = ask;
    this.items = new ItemQueue(
      () => this.call?.consumed(),
      () => this.call?.abandon(),
    );
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (!this.items.isOver) this.call ??= this.ask(this.items);
    return this.items.next();
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    return this.items.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
