import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeGrpcFrames, framedBytes, GrpcFrameDecoder } from './grpc-framing.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function decode(chunks: readonly Uint8Array[], maxFrameBytes = 1_000_000): Uint8Array[] {
  const decoder = new GrpcFrameDecoder(maxFrameBytes);
  const frames: Uint8Array[] = [];
  for (const chunk of chunks) decoder.push(chunk, (frame) => frames.push(frame));
  return frames;
}

/** Cuts at the given places, each a fraction of the whole. */
function cut(stream: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = places.map((place) => Math.floor(place * stream.length)).sort((a, b) => a - b);
  return [...at, stream.length].map((end, index) => stream.slice(at[index - 1] ?? 0, end));
}

describe('encodeGrpcFrames', () => {
  it('puts each frame behind a zero flag and its length, big-endian', () => {
    const encoded = encodeGrpcFrames([bytes(7, 8), bytes(), new Uint8Array(0x010203).fill(9)]);
    expect([...encoded.subarray(0, 18)]).toStrictEqual([
      ...[0, 0, 0, 0, 2, 7, 8],
      ...[0, 0, 0, 0, 0],
      ...[0, 0, 1, 2, 3, 9],
    ]);
    expect(encoded.length).toBe(7 + 5 + 5 + 0x010203);
  });

  it('takes as many bytes as framedBytes says', () => {
    expect(encodeGrpcFrames([bytes(1, 2, 3)]).length).toBe(framedBytes(bytes(1, 2, 3)));
    expect(encodeGrpcFrames([]).length).toBe(0);
  });
});

describe('GrpcFrameDecoder', () => {
  it('gives back the frames, however the stream is cut', () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.integer({ min: 0, max: 200_000 }).map((length) => new Uint8Array(length).fill(length)),
    );
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
    const property = fc.property(fc.array(frame, { maxLength: 8 }), places, (frames, at) => {
      const chunks = cut(encodeGrpcFrames(frames), at);
      expect(decode(chunks).map(text)).toStrictEqual(frames.map(text));
    });
    fc.assert(property, { numRuns: 200 });
  });

  it('gives back the frames when every byte comes alone', () => {
    const frames = [bytes(1), bytes(), bytes(2, 3, 4), bytes(), new Uint8Array(300).fill(5)];
    const chunks = Array.from(encodeGrpcFrames(frames), (byte) => bytes(byte));
    expect(decode(chunks)).toStrictEqual(frames);
  });

  it('does not copy a frame that lies in one chunk', () => {
    const chunk = encodeGrpcFrames([bytes(1, 2), bytes(3)]);
    const frames = decode([chunk]);
    expect(frames.map((frame) => frame.buffer === chunk.buffer)).toStrictEqual([true, true]);
    expect(frames.every((frame) => !Buffer.isBuffer(frame))).toBe(true);
  });

  it('does not hold on to the chunks of a frame that lies in several', () => {
    const stream = encodeGrpcFrames([new Uint8Array(100).fill(1)]);
    const chunks = cut(stream, [0.5]);
    const frames = decode(chunks);
    for (const chunk of chunks) chunk.fill(0);
    expect(frames).toStrictEqual([new Uint8Array(100).fill(1)]);
  });

  it('takes a frame at the limit and refuses one above it by its prefix alone', () => {
    expect(decode([encodeGrpcFrames([new Uint8Array(10)])], 10)).toHaveLength(1);
    expect(() => decode([bytes(0, 0, 0, 0, 11)], 10)).toThrow(
      expect.objectContaining({
        code: 'message-too-large',
        message: 'a frame of 11 bytes, the limit is 10',
      }),
    );
    expect(() => decode([bytes(0, 0xff, 0xff, 0xff, 0xff)], 10)).toThrow('4294967295');
  });

  it('refuses a compressed frame', () => {
    expect(() => decode([bytes(1, 0, 0, 0, 1, 0)])).toThrow(
      expect.objectContaining({ code: 'malformed-frame' }),
    );
  });

  it('keeps the frames that came before a bad one', () => {
    const kept: Uint8Array[] = [];
    const decoder = new GrpcFrameDecoder(10);
    const stream = bytes(0, 0, 0, 0, 1, 42, 9);
    expect(() => decoder.push(bytes(...stream, 0, 0, 0, 0), (frame) => kept.push(frame))).toThrow(
      'flag 9',
    );
    expect(kept).toStrictEqual([bytes(42)]);
  });

  it('never throws anything but a SlimError, whatever comes', () => {
    const property = fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      try {
        decode(chunks, 100);
      } catch (reason) {
        expect(reason).toHaveProperty('code', expect.stringMatching(/too-large|malformed/));
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

const text = (frame: Uint8Array): string => Buffer.from(frame).toString('latin1');
