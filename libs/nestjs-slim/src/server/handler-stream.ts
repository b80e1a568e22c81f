import { Logger } from '@nestjs/common';
import { Observable, concatMap, fromEvent, of, takeUntil } from 'rxjs';
import { internalError, rpcError } from '../payload/rpc-error.js';

/** What a handler's stream is bounded by. */
export interface StreamBounds {
  /** Ends the stream when it is aborted. */
  readonly signal: AbortSignal;
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
  return results.pipe(
    concatMap((value) => (isAsyncIterable(value) ? flatten(value, bounds) : of(value))),
    takeUntil(aborted(bounds.signal)),
  );
}

function aborted(signal: AbortSignal): Observable<unknown> {
  return signal.aborted ? of(true) : fromEvent(signal, 'abort');
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function flatten(iterable: AsyncIterable<unknown>, bounds: StreamBounds): Observable<unknown> {
  return new Observable((subscriber) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let isOver = false;
    const pull = async (): Promise<void> => {
      for (;;) {
        await bounds.whenRoom();
        if (subscriber.closed) return;
        const { done, value } = await iterator.next();
        isOver = done === true;
        if (isOver) return subscriber.complete();
        subscriber.next(value);
      }
    };
    pull().catch((reason: unknown) => {
      isOver = true;
      subscriber.error(generatorError(reason));
    });
    return () => {
      if (isOver || !iterator.return) return;
      // Lets a generator run its `finally`. Nobody is left to hear that this failed.
      iterator.return().catch(() => undefined);
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
