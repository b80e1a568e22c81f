import { SlimError } from '@nestjs-slim/core';
import { isObservable, Subject, takeUntil, type Observable } from 'rxjs';
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
  return isObservable(source) ? kept(source, maxWaiting) : source[Symbol.asyncIterator]();
}

/** Leaves a source before its end. Never fails: nobody is left to hear that the source does. */
export async function letGo(source: ItemSource, items: AsyncIterator<unknown>): Promise<void> {
  try {
    // The iterator of a stream of Node.js would wait for the next item first, which may never come.
    if (isDestroyable(source)) source.destroy();
    else await items.return?.();
  } catch {
    // See above.
  }
}

function kept<Item>(source: Observable<Item>, maxWaiting: number): ItemQueue<Item> {
  let waiting = 0;
  // Ends a source that gives all of its items at once, too: there is no subscription yet to do it by.
  const enough = new Subject<void>();
  const queue = new ItemQueue<Item>(
    () => (waiting -= 1),
    () => enough.next(),
  );
  source.pipe(takeUntil(enough)).subscribe({
    next: (item) => {
      waiting += 1;
      if (waiting <= maxWaiting) return queue.push(item);
      queue.fail(new SlimError('backpressure', `more than ${maxWaiting} items wait to be sent`));
      return enough.next();
    },
    error: (reason: unknown) => queue.fail(reason),
    complete: () => queue.complete(),
  });
  return queue;
}

function isDestroyable(source: object): source is { destroy(): void } {
  return 'destroy' in source && typeof source.destroy === 'function';
}
