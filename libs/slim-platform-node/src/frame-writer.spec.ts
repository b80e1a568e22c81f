import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { FrameWriter } from './frame-writer.js';

/** A stream that writes down what it is given and finishes a write when told to. */
function setup() {
  const written: Buffer[] = [];
  const finish: (() => void)[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written.push(chunk);
      finish.push(done);
    },
    writev(chunks, done) {
      written.push(Buffer.concat(chunks.map(({ chunk }: { chunk: Buffer }) => chunk)));
      finish.push(done);
    },
  });
  let drains = 0;
  const writer = new FrameWriter(stream, () => {
    drains += 1;
  });
  return { writer, stream, written, drains: () => drains, finishNext: () => finish.shift()?.() };
}

const turn = () => new Promise(setImmediate);

describe('FrameWriter', () => {
  it('writes the frames of one turn at once', async () => {
    const { writer, written } = setup();
    writer.send(Uint8Array.of(1));
    await Promise.resolve();
    writer.send(Uint8Array.of(2, 3));
    expect(written).toHaveLength(0);
    await turn();
    expect(written.map((chunk) => [...chunk])).toStrictEqual([
      [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 2, 2, 3],
    ]);
  });

  it('asks the sender to wait above a mebibyte, and tells it once when it may go on', async () => {
    const { writer, drains, finishNext } = setup();
    const quarter = new Uint8Array(256 * 1024);
    expect([1, 2, 3, 4, 5].map(() => writer.send(quarter))).toStrictEqual([
      ...[true, true, true],
      ...[false, false],
    ]);
    await turn();
    expect(writer.send(Uint8Array.of(1))).toBe(false);
    for (const drained of [0, 1, 1]) {
      finishNext();
      await turn();
      expect(drains()).toBe(drained);
    }
    expect(writer.send(Uint8Array.of(1))).toBe(true);
  });

  it('writes a quarter of a mebibyte at a time, so that a slow stream is seen to go on', async () => {
    const { writer, written, drains, finishNext } = setup();
    const kibibyte = new Uint8Array(1024 - 5);
    for (let count = 0; count < 1_100; count += 1) writer.send(kibibyte);
    await turn();
    writer.send(kibibyte);
    await turn();
    const sizes = () => written.map(({ length }) => length / 1024);
    expect(sizes()).toStrictEqual([256]);
    finishNext();
    await turn();
    expect(drains()).toBe(1);
    for (let count = 0; count < 4; count += 1) {
      finishNext();
      await turn();
    }
    expect(sizes()).toStrictEqual([256, 256, 256, 256, 77]);
  });

  it('writes what is queued before it ends the stream, however much', async () => {
    const { writer, stream, written, finishNext } = setup();
    const large = new Uint8Array(200 * 1024);
    for (let count = 0; count < 4; count += 1) writer.send(large);
    await turn();
    const finished = once(stream, 'finish');
    writer.end();
    for (let count = 0; count < 2; count += 1) {
      finishNext();
      await turn();
    }
    await finished;
    expect(written.reduce((sum, { length }) => sum + length, 0)).toBe(4 * (large.length + 5));
  });

  it('writes what is queued before it ends the stream', async () => {
    const { writer, stream, written, finishNext } = setup();
    writer.send(Uint8Array.of(7));
    writer.end();
    writer.end();
    expect(written.map((chunk) => [...chunk])).toStrictEqual([[0, 0, 0, 0, 1, 7]]);
    finishNext();
    await once(stream, 'finish');
    await turn();
    expect(written).toHaveLength(1);
  });

  it('writes nothing to a stream that is gone', async () => {
    const { writer, stream, written } = setup();
    writer.send(Uint8Array.of(7));
    stream.destroy();
    await turn();
    writer.end();
    expect(written).toHaveLength(0);
  });
});
