import { describe, expect, it } from '@jest/globals';
import { FrameQueue } from './frame-queue.js';

const kibibyte = new Uint8Array(1024);
const turn = () => new Promise(setImmediate);

/** A queue that writes down how many frames go at once; 0 for `drained`. */
function setup(highWaterBytes?: number) {
  const writes: number[] = [];
  const queue = new FrameQueue(
    {
      bytesOf: (frame) => frame.length,
      write: (frames) => writes.push(frames.length),
      drained: () => writes.push(0),
    },
    highWaterBytes,
  );
  return { queue, writes };
}

describe('FrameQueue', () => {
  it('writes the frames of one turn at once, and no more than a quarter of a mebibyte', async () => {
    const { queue, writes } = setup();
    for (let count = 0; count < 600; count += 1) queue.send(kibibyte);
    expect(writes).toStrictEqual([]);
    await turn();
    expect(writes).toStrictEqual([256]);
    queue.written(255 * kibibyte.length);
    expect(writes).toStrictEqual([256]);
    queue.written(kibibyte.length);
    expect(writes).toStrictEqual([256, 256]);
    queue.written(256 * kibibyte.length);
    expect(writes).toStrictEqual([256, 256, 88]);
  });

  it('says once that there is room again, when no more is queued than it may', async () => {
    const { queue, writes } = setup(2 * kibibyte.length);
    expect([1, 2, 3, 4].map(() => queue.send(kibibyte))).toStrictEqual([true, true, false, false]);
    await turn();
    for (let count = 0; count < 4; count += 1) queue.written(kibibyte.length);
    expect(writes).toStrictEqual([4, 0]);
    expect(queue.send(kibibyte)).toBe(true);
  });

  it('writes all that is queued when nothing is to follow', async () => {
    const { queue, writes } = setup();
    for (let count = 0; count < 600; count += 1) queue.send(kibibyte);
    await turn();
    queue.flush();
    expect(writes).toStrictEqual([256, 344]);
    queue.flush();
    expect(writes).toStrictEqual([256, 344]);
  });
});
