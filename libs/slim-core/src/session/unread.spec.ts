import { describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { Unread } from './unread.js';

const gone = new SlimError('peer-lost', 'it fell silent');
const gaveUp = new SlimError('aborted', 'gave up waiting');

async function readAll(unread: Unread<number>): Promise<number[]> {
  const items = [];
  for await (const item of unread) items.push(item);
  return items;
}

describe('Unread', () => {
  it('keeps what is pushed until it is read, in order', async () => {
    const unread = new Unread<number>();
    for (const item of [1, 2, 3]) unread.push(item);
    expect(unread.size).toBe(3);
    unread.end();
    expect(await readAll(unread)).toStrictEqual([1, 2, 3]);
    expect(unread.size).toBe(0);
  });

  it('serves readers that wait in the order they came, each with an item of its own', async () => {
    const unread = new Unread<number>();
    const reads = Promise.all([unread.next(), unread.next()]);
    unread.push(1);
    unread.push(2);
    expect((await reads).map(({ value }) => value)).toStrictEqual([1, 2]);
    expect(unread.size).toBe(0);
  });

  it('hands out values that are not truthy', async () => {
    const unread = new Unread<number>();
    unread.push(0);
    expect(await unread.next()).toStrictEqual({ done: false, value: 0 });
  });

  it('is over for everybody when it ends without a reason', async () => {
    const unread = new Unread<number>();
    const waiting = unread.next();
    unread.end();
    const over = { done: true, value: undefined };
    expect([await waiting, await unread.next(), await unread.next()]).toStrictEqual([
      over,
      over,
      over,
    ]);
  });

  it('fails with the reason, but after what came before', async () => {
    const unread = new Unread<number>();
    unread.push(1);
    unread.end(gone);
    expect(await unread.next()).toMatchObject({ value: 1 });
    await expect(unread.next()).rejects.toBe(gone);
    await expect(unread.next()).rejects.toBe(gone);
  });

  it('fails readers that wait', async () => {
    const unread = new Unread<number>();
    const waiting = unread.next();
    unread.end(gone);
    await expect(waiting).rejects.toBe(gone);
  });

  it('ends once and takes nothing afterwards', async () => {
    const unread = new Unread<number>();
    unread.end();
    unread.end(gone);
    unread.push(1);
    expect(await readAll(unread)).toStrictEqual([]);
  });

  it('gives nothing to a reader that gave up', async () => {
    const unread = new Unread<number>();
    const abort = new AbortController();
    const impatient = unread.next(abort.signal);
    const patient = unread.next();
    abort.abort(gaveUp);
    unread.push(1);
    await expect(impatient).rejects.toBe(gaveUp);
    expect(await patient).toMatchObject({ value: 1 });
  });

  it('does not let a reader begin to wait that gave up before', async () => {
    const unread = new Unread<number>();
    await expect(unread.next(AbortSignal.abort(gaveUp))).rejects.toBe(gaveUp);
    unread.push(1);
    expect(unread.size).toBe(1);
  });

  it('is not disturbed by a signal that fires after the item came', async () => {
    const unread = new Unread<number>();
    const abort = new AbortController();
    const read = unread.next(abort.signal);
    unread.push(1);
    abort.abort(gaveUp);
    expect(await read).toMatchObject({ value: 1 });
    const later = unread.next();
    unread.push(2);
    expect(await later).toMatchObject({ value: 2 });
  });
});
