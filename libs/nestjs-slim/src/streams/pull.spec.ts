import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { concat, finalize, of, range, Subject, throwError } from 'rxjs';
import { Signal } from '../testing/spec-outcome.js';
import { isItemSource, letGo, pull, type ItemSource } from './pull.js';

async function read(items: AsyncIterator<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for (;;) {
    const { done, value } = await items.next();
    if (done) return values;
    values.push(value);
  }
}

async function* generator() {
  yield* [1, 2, 3];
}

describe('isItemSource', () => {
  it.each<[string, unknown, boolean]>([
    ['an observable', of(1), true],
    ['a generator', generator(), true],
    ['a stream of Node.js', Readable.from([1]), true],
    ['an array', [1], false],
    ['bytes', new Uint8Array(1), false],
    ['text', 'abc', false],
    ['nothing', null, false],
    ['a promise', Promise.resolve(of(1)), false],
    ['a generator function', generator, false],
  ])('of %s tells whether it gives items', (_, value, isSource) => {
    expect(isItemSource(value)).toBe(isSource);
  });
});

describe('pull', () => {
  it.each<[string, () => ItemSource]>([
    ['an observable', () => of(1, 2, 3)],
    ['a generator', generator],
    ['a stream of Node.js', () => Readable.from([1, 2, 3])],
  ])('reads %s to its end', async (_, source) => {
    expect(await read(pull(source(), 3))).toStrictEqual([1, 2, 3]);
  });

  it('gives the items before a failure', async () => {
    const broken = concat(
      of(1),
      throwError(() => 'broken'),
    );
    const items = pull(broken, 2);
    expect(await items.next()).toStrictEqual({ done: false, value: 1 });
    await expect(items.next()).rejects.toBe('broken');
  });

  it('keeps as many items of an observable as it may, then fails and unsubscribes', async () => {
    const source = new Subject<number>();
    const items = pull(source, 2);
    source.next(1);
    source.next(2);
    expect(await items.next()).toMatchObject({ value: 1 });
    source.next(3);
    expect(source.observed).toBe(true);
    source.next(4);
    expect(source.observed).toBe(false);
    expect([await items.next(), await items.next()]).toMatchObject([{ value: 2 }, { value: 3 }]);
    await expect(items.next()).rejects.toMatchObject({
      code: 'backpressure',
      message: 'more than 2 items wait to be sent',
    });
  });

  it('ends an endless observable that never gives anybody a turn', async () => {
    const items = pull(range(0, Infinity), 3);
    expect(await items.next()).toMatchObject({ value: 0 });
  });

  it('unsubscribes from an observable that is left', async () => {
    const source = new Subject<number>();
    const items = pull(source, 2);
    await items.return?.();
    expect(source.observed).toBe(false);
  });
});

describe('letGo', () => {
  it('runs the end of a generator', async () => {
    const log: string[] = [];
    const source = (async function* () {
      try {
        yield 1;
      } finally {
        log.push('finally');
      }
    })();
    await source.next();
    await letGo(source, source);
    expect(log).toStrictEqual(['finally']);
  });

  it('destroys a stream of Node.js that a read waits for', async () => {
    const source = new Readable({ read: () => undefined });
    const items = pull<unknown>(source, 1);
    const reading = items.next();
    const closed = new Signal();
    source.on('close', () => closed.fire());
    await letGo(source, items);
    await closed.fired;
    await expect(reading).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  it.each<[string, object]>([
    [
      'throws',
      {
        return: () => {
          throw new Error('at its end');
        },
      },
    ],
    [
      'rejects',
      {
        return: async () => {
          throw new Error('at its end');
        },
      },
    ],
    ['is not there', {}],
    ['gives no promise', { return: () => ({ done: true, value: undefined }) }],
  ])('takes an iterator whose return %s', async (_, extra) => {
    const items = {
      next: async () => ({ done: true, value: undefined }),
      ...extra,
    } as AsyncIterator<number>;
    const source = { [Symbol.asyncIterator]: () => items };
    expect(await letGo(source, items)).toBeUndefined();
  });

  it('leaves the observable behind an iterator', async () => {
    const log: string[] = [];
    const source = new Subject<number>();
    const watched = source.pipe(finalize(() => log.push('unsubscribed')));
    await letGo(watched, pull(watched, 1));
    expect(log).toStrictEqual(['unsubscribed']);
  });
});
