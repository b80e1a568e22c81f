import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ItemQueue } from './item-queue.js';

function setup() {
  const log: string[] = [];
  const queue = new ItemQueue<number>(
    () => log.push('consumed'),
    () => log.push('stopped'),
  );
  return { log, queue };
}

const item = (value: number) => ({ done: false, value });
const done = { done: true, value: undefined };

describe('ItemQueue', () => {
  it('gives what waits, then waits for what comes', async () => {
    const { log, queue } = setup();
    queue.push(1);
    expect(await queue.next()).toStrictEqual(item(1));
    const next = queue.next();
    expect(log).toStrictEqual(['consumed']);
    queue.push(2);
    expect(await next).toStrictEqual(item(2));
    expect(log).toStrictEqual(['consumed', 'consumed']);
  });

  it('ends after what came before the end, and takes nothing after it', async () => {
    const { log, queue } = setup();
    queue.push(1);
    queue.complete();
    queue.push(2);
    queue.fail('too late');
    expect([queue.isOver, queue.isDone]).toStrictEqual([true, false]);
    expect(await queue.next()).toStrictEqual(item(1));
    expect(queue.isDone).toBe(true);
    expect(await queue.next()).toStrictEqual(done);
    expect(log).toStrictEqual(['consumed']);
  });

  it.each([new Error('broken'), undefined, ''])('fails with %p after what came', async (reason) => {
    const { queue } = setup();
    queue.push(1);
    queue.fail(reason);
    expect(await queue.next()).toStrictEqual(item(1));
    await expect(queue.next()).rejects.toBe(reason);
  });

  it('answers several reads that wait in the order they were made', async () => {
    const { queue } = setup();
    const reads = [queue.next(), queue.next(), queue.next()];
    queue.push(1);
    queue.push(2);
    queue.complete();
    expect(await Promise.all(reads)).toStrictEqual([item(1), item(2), done]);
  });

  it('lets go of what waits when the reader leaves, also in the middle of a read', async () => {
    const { log, queue } = setup();
    const read = queue.next();
    expect(await queue.return()).toStrictEqual(done);
    expect(await read).toStrictEqual(done);
    queue.push(1);
    expect(await queue.next()).toStrictEqual(done);
    await queue.return();
    expect(log).toStrictEqual(['stopped']);
  });

  it('does not say that a reader left that read to the end', async () => {
    const { log, queue } = setup();
    queue.complete();
    for await (const _ of queue) expect(_).toBeUndefined();
    await queue.return();
    expect(log).toStrictEqual([]);
  });

  it('gives everything once and in order, however reads and pushes alternate', async () => {
    const property = fc.asyncProperty(fc.array(fc.boolean()), async (steps) => {
      const { queue } = setup();
      const reads: Promise<IteratorResult<number, undefined>>[] = [];
      let pushed = 0;
      for (const isRead of steps) {
        if (isRead) {
          reads.push(queue.next());
          await Promise.resolve();
        } else queue.push(pushed++);
      }
      queue.complete();
      const read = (await Promise.all(reads)).flatMap(({ value }) =>
        value === undefined ? [] : [value],
      );
      for await (const value of queue) read.push(value);
      expect(read).toStrictEqual(Array.from({ length: pushed }, (_, index) => index));
    });
    await fc.assert(property);
  });
});
