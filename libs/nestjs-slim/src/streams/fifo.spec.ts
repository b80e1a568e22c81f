import { describe, expect, it } from '@jest/globals';
import { Fifo } from './fifo.js';

describe('Fifo', () => {
  it('gives what came first, also items that are undefined, and then nothing', () => {
    const fifo = new Fifo<number | undefined>();
    for (const item of [1, undefined, 3]) fifo.push(item);
    expect([fifo.size, fifo.take(), fifo.take(), fifo.size]).toStrictEqual([3, 1, undefined, 1]);
    fifo.push(4);
    expect([fifo.take(), fifo.take(), fifo.size, fifo.take()]).toStrictEqual([3, 4, 0, undefined]);
  });

  it('forgets everything', () => {
    const fifo = new Fifo<number>();
    fifo.push(1);
    fifo.clear();
    expect([fifo.size, fifo.take()]).toStrictEqual([0, undefined]);
  });
});
