import { describe, expect, it } from '@jest/globals';
import { decodeValue, encodeValue } from './value.js';

const json = 'application/json';
const malformed = expect.objectContaining({ name: 'SlimError', code: 'malformed-frame' });

describe('a value', () => {
  it.each([undefined, null, '', 'text', 0, 1.5, false, true, [], [1, null], {}, { a: { b: 'ü' } }])(
    'survives: %p',
    (value) => {
      expect(decodeValue(encodeValue(value))).toStrictEqual(value);
    },
  );

  it('of bytes is not touched', () => {
    const bytes = new Uint8Array([0, 0xff, 0xfe, 0x80]);
    const encoded = encodeValue(bytes);
    expect(encoded).toStrictEqual({ contentType: 'application/octet-stream', data: bytes });
    expect(decodeValue(encoded)).toBe(bytes);
  });

  it('that is undefined has no data, and null has', () => {
    expect(encodeValue(undefined).data).toBeUndefined();
    expect(encodeValue(null).data).toBe('null');
  });

  it('that JSON cannot express is refused', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => encodeValue(cycle)).toThrow(malformed);
    expect(() => encodeValue(1n)).toThrow(malformed);
  });

  it.each([
    ['text that is not JSON', json, [0x7b]],
    ['bytes that are not UTF-8', json, [0x22, 0xff, 0x22]],
    ['an unknown content type', 'application/cbor', [0x01]],
    ['data without content type', '', [0x31]],
  ])('is not read from %s', (_, contentType, data) => {
    expect(() => decodeValue({ contentType, data: new Uint8Array(data) })).toThrow(malformed);
  });
});
