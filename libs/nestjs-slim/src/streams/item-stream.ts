import { Observable, type Subscriber } from 'rxjs';
import type { ItemQueue } from './item-queue.js';

/**
 * The items of a stream that the other side sends, for one reader. Read with `for await` it asks for an
 * item when the one before it was dealt with, so that a slow reader slows the sender; subscribed to, it
 * gives items as they come.
 */
// An interface, so that the type of a parameter is `Object` for Nest: pipes make instances of classes.
export interface ItemStream<Item = unknown> extends Observable<Item>, AsyncIterable<Item> {}

/** The stream of what a queue is given. */
export class QueuedItemStream<Item> extends Observable<Item> implements ItemStream<Item> {
  private readonly queue: ItemQueue<Item>;

  constructor(queue: ItemQueue<Item>) {
    super((subscriber) => {
      void feed(queue, subscriber);
      return () => void queue.return();
    });
    this.queue = queue;
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return this.queue;
  }
}

async function feed<Item>(queue: ItemQueue<Item>, subscriber: Subscriber<Item>): Promise<void> {
  try {
    for await (const item of queue) subscriber.next(item);
    subscriber.complete();
  } catch (reason) {
    subscriber.error(reason);
  }
}
