import { SlimError } from '@nestjs-slim/core';
import fc from 'fast-check';
import { allFrames, type NamedFrame } from '../support/vectors.js';

const { FUZZ_FACTOR = '1', FUZZ_SEED } = process.env;

/** So many runs, times `FUZZ_FACTOR`; with `FUZZ_SEED` those of that seed, which a failure prints. */
export function runs(numRuns: number): fc.Parameters<unknown> {
  const seed = FUZZ_SEED === undefined ? {} : { seed: Number(FUZZ_SEED) };
  return { numRuns: Math.ceil(numRuns * Number(FUZZ_FACTOR)), ...seed };
}

/** For `it`: what a test of that many seconds may take with more runs. */
export const within = (seconds: number): number =>
  seconds * 1_000 * Math.max(1, Number(FUZZ_FACTOR));

/** One change to bytes, of the kinds that parsers fall for. */
type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const at = fc.nat({ max: 5_000 });
/** Lengths and tags that mean something to a protobuf reader. */
const tellingByte = fc.oneof(
  fc.constantFrom(0x00, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32),
  fc.nat({ max: 255 }),
);
const length = fc.integer({ min: 1, max: 64 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('set'), at, byte: tellingByte }),
  fc.record({ kind: fc.constant('cut'), at }),
  fc.record({ kind: fc.constantFrom('remove', 'repeat'), at, length }),
  fc.record({
    kind: fc.constant('insert'),
    at,
    bytes: fc.array(tellingByte, { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
  }),
);

/** A few changes to one and the same text of bytes. */
export const changes = fc.array(change, { minLength: 1, maxLength: 4 });

/** The bytes, which stay as they are, with those changes. */
export function changed(original: Uint8Array, list: readonly Change[]): Uint8Array<ArrayBuffer> {
  return list.reduce((bytes, one) => changedOnce(bytes, one), Uint8Array.from(original));
}

function changedOnce(bytes: Uint8Array<ArrayBuffer>, one: Change): Uint8Array<ArrayBuffer> {
  const where = bytes.length === 0 ? 0 : one.at % bytes.length;
  const [before, after] = [bytes.subarray(0, where), bytes.subarray(where)];
  switch (one.kind) {
    case 'flip':
      bytes[where] = (bytes[where] ?? 0) ^ (1 << one.bit);
      return bytes;
    case 'set':
      bytes[where] = one.byte;
      return bytes;
    case 'cut':
      return bytes.slice(0, where);
    case 'remove':
      return joined(before, after.subarray(one.length));
    case 'repeat':
      return joined(before, after.subarray(0, one.length), after);
    case 'insert':
      return joined(before, one.bytes, after);
  }
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.concat(parts));

const frames: readonly NamedFrame[] = allFrames();

/** A frame as an official application or node wrote it. */
export const recordedFrame = fc.constantFrom(...frames).map(({ bytes }) => Uint8Array.from(bytes));

/** The same, damaged. */
export const damagedFrame = fc
  .tuple(recordedFrame, changes)
  .map(([bytes, list]) => changed(bytes, list));

/** What a call gives, or the error that it fails with; any other error than ours goes on. */
export function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (reason) {
    if (reason instanceof SlimError) return `${reason.code}: ${reason.message}`;
    throw reason;
  }
}

/** The same for what takes its time. */
export async function settled(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (reason) {
    if (reason instanceof SlimError) return `${reason.code}: ${reason.message}`;
    throw reason;
  }
}
