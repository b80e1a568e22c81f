import { describe, expect, it } from '@jest/globals';
import { isObservable, take } from 'rxjs';
import { outcome } from '../testing/spec-outcome.js';
import { ItemQueue } from './item-queue.js';
import { QueuedItemStream } from './item-stream.js';

function setup() {
  const log: string[] = [];
  const queue = new ItemQueue<number>(
    () => log.push('consumed'),
    () => log.push('stopped'),
  );
  return { log, queue, stream: new QueuedItemStream(queue) };
}

describe('QueuedItemStream', () => {
  it('is read with for await, an item at a time', async () => {
    const { log, queue, stream } = setup();
    for (const item of [1, 2, 3]) queue.push(item);
    queue.complete();
    const read: unknown[] = [];
    for await (const item of stream) read.push([item, log.length]);
    expect(read).toStrictEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('is an observable', async () => {
    const { queue, stream } = setup();
    expect(isObservable(stream)).toBe(true);
    const all = outcome(stream);
    queue.push(1);
    queue.push(2);
    queue.fail('broken');
    expect(await all).toStrictEqual({ values: [1, 2], failed: { with: 'broken' } });
  });

  it.each(['break', 'unsubscribe'])('says when its reader leaves by %s', async (how) => {
    const { log, queue, stream } = setup();
    queue.push(1);
    queue.push(2);
    if (how === 'unsubscribe') await outcome(stream.pipe(take(1)));
    else for await (const item of stream) if (item === 1) break;
    expect(log).toStrictEqual(['consumed', 'stopped']);
  });

  it('gives a second reader what the first one left', async () => {
    const { queue, stream } = setup();
    queue.push(1);
    queue.complete();
    expect(await outcome(stream)).toStrictEqual({ values: [1] });
    expect(await outcome(stream)).toStrictEqual({ values: [] });
  });
});
