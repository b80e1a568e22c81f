import { SlimError } from '@nestjs-slim/core';
import { isObservable, type Observable } from 'rxjs';
import { ItemQueue } from './item-queue.js';

/** What can be sent or answered as one item after the other. */
export type ItemSource<Item = unknown> = Observable<Item> | AsyncIterable<Item>;

/** True for observables and async iterables, such as generators and the streams of Node.js. */
export function isItemSource(value: unknown): value is ItemSource {
  return isObservable(value) || isAsyncIterable(value);
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Reads a source item by item. An async iterable works only when asked; an observable cannot wait, so up
 * to `maxWaiting` of its items are kept, and it fails with `backpressure` when there are more.
 */
export function pull<Item>(source: ItemSource<Item>, maxWaiting: number): AsyncIterator<Item> {
  if (!isObservable(source)) return source[Symbol.asyncIterator]();
  let waiting = 0;
  const queue = new ItemQueue<Item>(
    () => (waiting -= 1),
    () => subscription.unsubscribe(),
  );
  const subscription = source.subscribe({
    next: (item) => {
      waiting += 1;
      if (waiting <= maxWaiting) return queue.push(item);
      queue.fail(new SlimError('backpressure', `more than ${maxWaiting} items wait to be sent`));
      // Not there yet when the source is synchronous; the queue takes nothing more in any case.
      queueMicrotask(() => subscription.unsubscribe());
    },
    error: (reason: unknown) => queue.fail(reason),
    complete: () => queue.complete(),
  });
  return queue;
}
