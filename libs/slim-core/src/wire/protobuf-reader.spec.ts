import { describe, expect, it } from '@jest/globals';
import { fromHex, toHex } from '../testing/hex.js';
import { ProtobufReader } from './protobuf-reader.js';

const reader = (hex: string): ProtobufReader => new ProtobufReader(fromHex(hex));
const malformed = expect.objectContaining({ code: 'malformed-frame' });

describe('ProtobufReader', () => {
  it.each([
    ['00', 0],
    ['ac02', 300],
    ['ffffffff0f', 0xffff_ffff],
    // Not minimal, which decoders have to take.
    ['8000', 0],
    // A negative int32, as some encoders write an enum of a later version: ten bytes.
    ['ffffffffffffffffff01', 0xffff_ffff],
    ['808080801080', 0],
  ])('reads %s as the 32-bit value %d', (hex, value) => {
    expect(reader(hex).uint32()).toBe(value);
  });

  it('reads 64-bit values exactly', () => {
    expect(reader('ffffffffffffffffff01').varint64()).toBe(2n ** 64n - 1n);
    expect(reader('80808080808080808001').varint64()).toBe(2n ** 63n);
  });

  it('reads tags up to the largest field number', () => {
    expect(reader('0a').tag()).toBe(0x0a);
    expect(reader('faffffff0f').tag()).toBe(0xffff_fffa);
  });

  it.each([
    { what: 'a varint that goes on past the end', hex: '8080', read: 'varint' },
    { what: 'a varint of eleven bytes', hex: '8080808080808080808001', read: 'varint' },
    { what: 'a 64-bit varint of eleven bytes', hex: '8080808080808080808001', read: 'varint64' },
    { what: 'an empty input', hex: '', read: 'uint32' },
    { what: 'bytes that run past the end', hex: '0361 62', read: 'bytes' },
    { what: 'a length of 2^48', hex: '808080808080 40', read: 'bytes' },
    { what: 'a message that runs past the end', hex: '02 08', read: 'message' },
    { what: 'a string that is not UTF-8', hex: '02 c3 28', read: 'string' },
    { what: 'a string that is half a surrogate pair', hex: '03 eda080', read: 'string' },
    { what: 'field number 0', hex: '02', read: 'tag' },
    { what: 'a field number beyond 29 bits', hex: '8080808010', read: 'tag' },
  ] as const)('refuses $what', ({ hex, read }) => {
    expect(() => reader(hex)[read]()).toThrow(malformed);
  });

  it.each([
    { kind: 'a varint', hex: '08 ac02 ff' },
    { kind: 'eight bytes', hex: '09 0102030405060708 ff' },
    { kind: 'a delimited field', hex: '0a 020102 ff' },
    { kind: 'four bytes', hex: '0d 01020304 ff' },
  ])('passes $kind of an unknown field', ({ hex }) => {
    const from = reader(hex);
    from.skip(from.tag());
    expect(toHex(from.rest())).toBe('ff');
  });

  it.each(['0b', '0c', '0e', '0f', '09 01', '0d 01', '0a 05 01'])(
    'refuses %s, which it cannot pass',
    (hex) => {
      const from = reader(hex);
      expect(() => from.skip(from.tag())).toThrow(malformed);
    },
  );

  it('gives views, not copies', () => {
    const bytes = fromHex('02 0102 02 0304');
    const from = new ProtobufReader(bytes);
    const [first, inner] = [from.bytes(), from.message()];
    bytes.fill(9);
    expect(toHex(first)).toBe('0909');
    expect(toHex(inner.rest())).toBe('0909');
  });

  it('reads no further than the message it is inside of', () => {
    const inner = reader('01 08 01').message();
    expect(inner.tag()).toBe(0x08);
    expect(inner.done).toBe(true);
    expect(() => inner.varint()).toThrow(malformed);
  });
});
