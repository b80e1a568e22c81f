import { Logger } from '@nestjs/common';
import { concatMap, isObservable, Observable, of, tap, type Subscriber } from 'rxjs';
import { internalError, rpcError } from '../payload/rpc-error.js';
import { isPromise } from '../payload/when-known.js';
import { isAsyncIterable, letGo } from '../streams/pull.js';
import type { Abortion } from './abortion.js';

/** What a handler's stream is bounded by. */
export interface StreamBounds {
  /** Ends the stream. */
  readonly abortion: Abortion;
  /** Settles when a source that can wait may give its next value. */
  whenRoom(): Promise<void>;
  /** A value is about to be given. Throws when that is one too many, which fails the stream. */
  given(): void;
}

/**
 * What a handler answers, as one stream: promises, observables and async iterables are flattened, the last
 * are not asked for more than can be published, and it ends as soon as the call is aborted. `run` calls the
 * handler; it is called when somebody subscribes.
 */
export function handlerStream(run: () => unknown, bounds: StreamBounds): Observable<unknown> {
  return new Observable((subscriber) => {
    subscriber.add(bounds.abortion.whenAborted(() => subscriber.complete()));
    if (!subscriber.closed) settle(run(), subscriber, bounds);
  });
}

/** Most handlers give a promise of one value, which takes none of the operators (bench `Nest request/response`). */
function settle(result: unknown, subscriber: Subscriber<unknown>, bounds: StreamBounds): void {
  if (isPromise(result)) {
    const known = (value: unknown): void => settle(value, subscriber, bounds);
    result.then(known, (reason: unknown) => subscriber.error(reason));
    return;
  }
  if (subscriber.closed) return;
  if (isObservable(result) || isAsyncIterable(result)) {
    const values = flattened(result, bounds).pipe(tap(() => bounds.given()));
    values.subscribe(subscriber);
    return;
  }
  bounds.given();
  subscriber.next(result);
  subscriber.complete();
}

function flattened(
  result: Observable<unknown> | AsyncIterable<unknown>,
  bounds: StreamBounds,
): Observable<unknown> {
  if (!isObservable(result)) return flatten(result, bounds);
  return result.pipe(
    concatMap((value) => (isAsyncIterable(value) ? flatten(value, bounds) : of(value))),
  );
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
