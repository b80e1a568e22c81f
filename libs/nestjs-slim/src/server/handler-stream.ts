import { Logger } from '@nestjs/common';
import { Observable, concatMap, of } from 'rxjs';
import { internalError, rpcError } from '../payload/rpc-error.js';
import { isAsyncIterable, letGo } from '../streams/pull.js';
import type { Abortion } from './abortion.js';

/** What a handler's stream is bounded by. */
export interface StreamBounds {
  /** Ends the stream. */
  readonly abortion: Abortion;
  /** Settles when a source that can wait may give its next value. */
  whenRoom(): Promise<void>;
}

/**
 * What a handler answers, as one stream: async iterables are flattened and are not asked for more than
 * can be published, and it ends as soon as the call is aborted.
 */
export function handlerStream(
  results: Observable<unknown>,
  bounds: StreamBounds,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const stopListening = bounds.abortion.whenAborted(() => subscriber.complete());
    if (subscriber.closed) return stopListening;
    const values = results.pipe(
      concatMap((value) => (isAsyncIterable(value) ? flatten(value, bounds) : of(value))),
    );
    const subscription = values.subscribe(subscriber);
    return () => {
      stopListening();
      subscription.unsubscribe();
    };
  });
}

function flatten(iterable: AsyncIterable<unknown>, bounds: StreamBounds): Observable<unknown> {
  return new Observable((subscriber) => {
    let items: AsyncIterator<unknown> | undefined;
    let isOver = false;
    const run = async (): Promise<void> => {
      items = iterable[Symbol.asyncIterator]();
      for (;;) {
        await bounds.whenRoom();
        if (subscriber.closed) return;
        const { done, value } = await items.next();
        isOver = done === true;
        if (isOver) return subscriber.complete();
        subscriber.next(value);
      }
    };
    run().catch((reason: unknown) => {
      isOver = true;
      // One that is left in the middle of its work may well fail, which is no news to anybody.
      if (!subscriber.closed) subscriber.error(generatorError(reason));
    });
    return () => {
      if (items && !isOver) void letGo(iterable, items);
    };
  });
}

/** Exception filters have returned by the time a generator throws, so this maps as the base filter does. */
function generatorError(reason: unknown): unknown {
  const rpc = rpcError(reason);
  if (rpc) return rpc.value;
  Logger.error(reason, 'SlimServer');
  return internalError;
}
