import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { msgpack } from './msgpack.js';

const codec = msgpack();
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value));
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const malformed = expect.objectContaining({ name: 'SlimError', code: 'malformed-frame' });

/** What MessagePack keeps exactly: no `undefined`, no class but `Date` and bytes. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.maxSafeInteger(),
    // It writes -0 as the integer 0.
    fc.double().map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.uint8Array({ maxLength: 300 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.date({ noInvalidDate: true, min: new Date(-(2 ** 40)), max: new Date(2 ** 43) }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
})).value;

describe('msgpack', () => {
  it('gives back what it was given', () => {
    fc.assert(fc.property(values, (value) => expect(roundTrip(value)).toStrictEqual(value)));
  });

  it('says what it is, and writes what the specification says', () => {
    expect(codec.contentType).toBe('application/vnd.msgpack');
    expect(codec.encode({ a: [1, new Uint8Array([2])] })).toStrictEqual(bytes('81a1619201c40102'));
  });

  it('treats undefined as JSON does', () => {
    expect(roundTrip({ a: undefined, b: [undefined], c: null })).toStrictEqual({
      b: [null],
      c: null,
    });
    expect(roundTrip(undefined)).toBeNull();
  });

  it('reads 64-bit integers exactly, or as numbers if asked to', () => {
    const timestamp = bytes('cf0000018bcfe56800');
    expect(codec.decode(timestamp)).toBe(1_700_000_000_000n);
    expect(msgpack({ int64: 'number' }).decode(timestamp)).toBe(1_700_000_000_000);
    expect(roundTrip(1_700_000_000_000)).toBe(1_700_000_000_000);
  });

  it('reads bytes as they are in the middle of a buffer', () => {
    const data = codec.encode({ bytes: new Uint8Array([1, 2, 3]) });
    const padded = new Uint8Array([9, 9, ...data, 9]);
    expect(codec.decode(padded.subarray(2, 2 + data.length))).toStrictEqual({
      bytes: new Uint8Array([1, 2, 3]),
    });
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', { a: Symbol('a') }],
    ['a cycle', cycle],
    ['an integer of 65 bits', 2n ** 64n],
    ['one of them inside', { a: [{ b: -(2n ** 63n) - 1n }] }],
    ['one of them in a list', [1, 2n ** 70n]],
  ])('refuses to write %s, and writes the next value all the same', (_, value) => {
    expect(() => codec.encode(value)).toThrow(malformed);
    expect(roundTrip([1])).toStrictEqual([1]);
  });

  it('refuses to write a bigint when integers are to be numbers', () => {
    expect(() => msgpack({ int64: 'number' }).encode({ a: 1n })).toThrow(malformed);
  });

  it('keeps the error of the library as the cause', () => {
    expect(() => codec.decode(bytes('81a95f5f70726f746f5f5f01'))).toThrow(
      expect.objectContaining({ code: 'malformed-frame', cause: expect.any(Error) }),
    );
  });

  it.each([
    ['nothing', ''],
    ['the head that is never used', 'c1'],
    ['two values', '0102'],
    ['a truncated string', 'a56162'],
    ['a truncated length', 'da01'],
    ['a truncated number', 'cb0000'],
    ['a truncated list', '930102'],
    ['a map without its value', '81a161'],
    ['a key that is no text', '819001'],
    ['the key __proto__', '81a95f5f70726f746f5f5f01'],
    ['a huge array', 'ddffffffff'],
    ['a huge map', 'dfffffffff'],
    ['huge bytes', 'c6ffffffff'],
    ['huge arrays in an array', `92${'dd01000000'.repeat(200)}`],
    ['arrays that share the bytes left', 'dd00000004dd00000004dd00000004c0c0'],
    ['arrays nested deep', `${'91'.repeat(101)}c0`],
  ])('refuses to read %s, and reads the next value all the same', (_, hex) => {
    expect(() => codec.decode(bytes(hex))).toThrow(malformed);
    expect(roundTrip([1])).toStrictEqual([1]);
  });

  it('reads what is nested as deep as it writes', () => {
    let value: unknown = null;
    for (let depth = 0; depth < 99; depth += 1) value = [value];
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it('reads any bytes as a value or refuses them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        try {
          codec.decode(data);
        } catch (reason) {
          expect(reason).toEqual(malformed);
        }
      }),
    );
  });
});
