import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packFrames } from './frame-batch.js';
import { encodeGrpcFrames, GrpcFrameDecoder } from './grpc-framing.js';

const filled = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);

function decode(...chunks: readonly Uint8Array[]): Uint8Array[] {
  const decoder = new GrpcFrameDecoder(1_000_000);
  const frames: Uint8Array[] = [];
  for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  return frames;
}

const text = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('latin1');
const inMemoryOf = (bytes: Uint8Array) => (piece: Uint8Array) => piece.buffer === bytes.buffer;

describe('packFrames', () => {
  it('writes what the plain encoder writes, wherever the frames lie', () => {
    const length = fc.oneof(fc.integer({ max: 20, min: 0 }), fc.integer({ max: 20_000, min: 0 }));
    const frames = fc.array(
      length.map((size) => filled(size, size)),
      { maxLength: 8 },
    );
    const property = fc.property(frames, frames, fc.nat(), fc.nat(), (received, own, at, skip) => {
      const stream = encodeGrpcFrames(received);
      const cutAt = at % (stream.length + 1);
      const forwarded = decode(stream.slice(0, cutAt), stream.slice(cutAt));
      const sent = [...forwarded.filter((_, index) => index !== skip % 10), ...own, ...forwarded];
      expect(text(packFrames(sent))).toBe(text([encodeGrpcFrames(sent)]));
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('takes neighbours of one chunk as they are, in one piece', () => {
    const chunk = encodeGrpcFrames([filled(3_000), filled(10), filled(3_000)]);
    const pieces = packFrames(decode(chunk));
    expect(pieces).toHaveLength(1);
    expect(pieces.filter(inMemoryOf(chunk))).toHaveLength(1);
  });

  it('takes a frame that came in several chunks as it is', () => {
    const stream = encodeGrpcFrames([filled(100_000)]);
    const frames = decode(stream.slice(0, 3), stream.slice(3, 70_000), stream.slice(70_000));
    const pieces = packFrames(frames);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]?.buffer).toBe(frames[0]?.buffer);
  });

  it('does not copy a large frame without a prefix, nor write in front of it', () => {
    const memory = filled(20_010, 9);
    const frame = memory.subarray(10);
    const pieces = packFrames([filled(1), frame, filled(2)]);
    expect(pieces.map(({ length }) => length)).toStrictEqual([5 + 1 + 5, 20_000, 5 + 2]);
    expect(pieces.filter(inMemoryOf(memory))).toHaveLength(1);
    expect(memory.every((byte) => byte === 9)).toBe(true);
  });

  it('copies small frames into one piece, so that they do not hold the chunk they came in', () => {
    const chunk = encodeGrpcFrames([filled(5_000), filled(60_000)]);
    const [first = filled(0)] = decode(chunk);
    const pieces = packFrames([filled(1), first, filled(2)]);
    expect(pieces).toHaveLength(1);
    expect(pieces.some(inMemoryOf(chunk))).toBe(false);
  });

  it('makes nothing of nothing', () => {
    expect(packFrames([])).toStrictEqual([]);
  });
});
