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
    expect(drains()).toBe(0);
    finishNext();
    await turn();
    expect(drains()).toBe(1);
    expect(writer.send(Uint8Array.of(1))).toBe(true);
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
