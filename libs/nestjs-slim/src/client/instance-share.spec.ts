import { describe, expect, it } from '@jest/globals';
import { SlimError, SlimName } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { Signal } from '../testing/spec-outcome.js';
import { InstanceShare } from './instance-share.js';

const nameOf = (n: number): SlimName =>
  SlimName.parse(`acme/billing/invoices/00000000-0000-0000-0000-00000000000${n}`);

/** One call to a share: the number of the instance that it goes to. */
type Session = { readonly pending: number; readonly of: number };

/** A share of instances that are known by number; the first of those that are there is found fast. */
function setup({ spread = 2, there = [1, 2] }: { spread?: number; there?: number[] } = {}) {
  const clock = new ManualClock();
  const busy = new Map<number, number>();
  const dropped: string[] = [];
  const state: { there: readonly number[]; failure?: SlimError } = { there };
  let searched = new Signal();
  const share = new InstanceShare<Session>({
    clock,
    spread,
    rediscoverMs: 1_000,
    discover: async () => {
      const [first] = state.there;
      if (first === undefined) throw new SlimError('no-route', 'nobody');
      return nameOf(first);
    },
    async *instances() {
      for (const n of state.there) yield nameOf(n);
      if (state.failure) throw state.failure;
      searched.fire();
    },
    open: async (name) => {
      const of = Number(String(name).at(-1));
      if (!state.there.includes(of)) throw new SlimError('no-route', `${of} is gone`);
      return {
        of,
        get pending() {
          return busy.get(of) ?? 0;
        },
      };
    },
    dropped: ({ code }) => dropped.push(code),
  });
  const next = async (): Promise<number> => (await share.next()).of;
  /** Who gets the next calls, after a search that is due. */
  const afterSearch = async (): Promise<readonly number[]> => {
    searched = new Signal();
    clock.advance(1_000);
    await next();
    await searched.fired;
    const seen = [await next(), await next(), await next(), await next()];
    return [...new Set(seen)].toSorted((one, other) => one - other);
  };
  return { state, busy, dropped, share, next, afterSearch };
}

describe('the share of a client', () => {
  it('begins with the instance that is found fast', async () => {
    const { next } = setup({ there: [3, 1, 2] });
    expect(await next()).toBe(3);
  });

  it('takes each in turn, and no more than wanted', async () => {
    const { next, afterSearch } = setup({ there: [1, 2, 3] });
    expect(await afterSearch()).toStrictEqual([1, 2]);
    const turns = [await next(), await next(), await next(), await next()];
    expect(turns[0]).not.toBe(turns[1]);
    expect(turns.slice(2)).toStrictEqual(turns.slice(0, 2));
  });

  it('takes the least busy', async () => {
    const { next, afterSearch, busy } = setup();
    await afterSearch();
    busy.set(1, 3).set(2, 2);
    expect([await next(), await next(), await next()]).toStrictEqual([2, 2, 2]);
    busy.set(2, 4);
    expect([await next(), await next()]).toStrictEqual([1, 1]);
  });

  it('gives the place of an instance that a search misses to one that it finds', async () => {
    const { state, afterSearch } = setup();
    expect(await afterSearch()).toStrictEqual([1, 2]);
    state.there = [3, 2];
    expect(await afterSearch()).toStrictEqual([2, 3]);
  });

  it('goes on with the others when an instance cannot be reached', async () => {
    const { state, next, afterSearch } = setup();
    await afterSearch();
    state.there = [2];
    expect([await next(), await next(), await next()]).toStrictEqual([2, 2, 2]);
  });

  it('fails with the last reason when none can be reached, and finds who comes later', async () => {
    const { state, next, afterSearch } = setup();
    await afterSearch();
    state.there = [];
    await expect(next()).rejects.toMatchObject({ code: 'no-route' });
    await expect(next()).rejects.toMatchObject({ code: 'no-route', message: 'nobody' });
    state.there = [4];
    expect(await next()).toBe(4);
  });

  it('searches when it is told of a loss, however short the time since the search before', async () => {
    const { state, share, next, afterSearch } = setup();
    await afterSearch();
    state.there = [2, 3];
    share.forget(nameOf(1));
    expect(await next()).toBe(2);
    const seen = new Set<number>();
    while (seen.size < 2) seen.add(await next());
    expect([...seen].toSorted((one, other) => one - other)).toStrictEqual([2, 3]);
  });

  it.each([
    ['no-route', ['no-route']],
    ['aborted', []],
  ] as const)('reports a search that fails with %s as %j', async (code, reported) => {
    const { state, dropped, next } = setup();
    state.failure = new SlimError(code, 'not now');
    await next();
    await next();
    expect(dropped).toStrictEqual(reported);
  });
});
