import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, toHex } from '../testing/hex.js';
import { TlsReader } from './tls-reader.js';
import { TlsWriter } from './tls-writer.js';

describe('TlsWriter', () => {
  it('writes integers with the high byte first', () => {
    const out = new TlsWriter(1)
      .uint8(0x01)
      .uint16(0x0203)
      .uint32(0x8405_0607)
      .uint64(0x8809_0a0b_0c0d_0e0fn);
    expect(toHex(out.finish())).toBe('01' + '0203' + '84050607' + '88090a0b0c0d0e0f');
  });

  // RFC 9420 section 2.1.2: one, two or four bytes.
  it.each([
    { length: 0, prefix: '00' },
    { length: 63, prefix: '3f' },
    { length: 64, prefix: '4040' },
    { length: 16_383, prefix: '7fff' },
    { length: 16_384, prefix: '80004000' },
    { length: 100_000, prefix: '800186a0' },
  ])('puts $prefix before $length bytes', ({ length, prefix }) => {
    const content = new Uint8Array(length).fill(7);
    const bytes = new TlsWriter(1).opaque(content).finish();
    expect(toHex(bytes)).toBe(prefix + toHex(content));
    expect(toHex(new TlsReader(bytes).opaque())).toBe(toHex(content));
  });

  it('pads with zero bytes, also where something was written before', () => {
    const out = new TlsWriter(1).uint32(0xffff_ffff).reset().uint8(1);
    expect(toHex(out.padTo(4).finish())).toBe('01000000');
    expect(toHex(out.padTo(2).finish())).toBe('01000000');
  });

  it('shows what was written without a copy, until something else is', () => {
    const out = new TlsWriter().uint8(1);
    const view = out.view();
    expect(toHex(view)).toBe('01');
    expect(toHex(out.reset().uint8(2).view())).toBe('02');
    expect(toHex(view)).toBe('02');
  });
});

describe('TlsReader', () => {
  it('reads what was written', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 0xff }),
        fc.nat({ max: 0xffff }),
        fc.nat({ max: 0xffff_ffff }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.uint8Array({ maxLength: 300 }),
        (a, b, c, d, bytes) => {
          const out = new TlsWriter(1).uint8(a).uint16(b).uint32(c).uint64(d).opaque(bytes);
          const reader = new TlsReader(out.raw(bytes).finish());
          const read = [reader.uint8(), reader.uint16(), reader.uint32(), reader.uint64()];
          expect(read).toStrictEqual([a, b, c, d]);
          expect([toHex(reader.opaque()), toHex(reader.rest())]).toStrictEqual([
            toHex(bytes),
            toHex(bytes),
          ]);
        },
      ),
    );
  });

  it('reads inside a larger buffer', () => {
    const buffer = fromHex('ffff 0102 ffff');
    expect(new TlsReader(buffer.subarray(2, 4)).uint16()).toBe(0x0102);
  });

  it.each([
    { hex: '', read: 'uint8' },
    { hex: '01', read: 'uint16' },
    { hex: '010203', read: 'uint32' },
    { hex: '01020304050607', read: 'uint64' },
    { hex: '02 01', read: 'opaque' },
    { hex: '40', read: 'opaque' },
    { hex: '80 0000', read: 'opaque' },
    { hex: 'bfffffff 00', read: 'opaque' },
    // The prefix with both bits set is not valid (RFC 9420 section 2.1.2).
    { hex: 'c0 0000000000000000', read: 'opaque' },
  ] as const)('refuses to read $read from $hex', ({ hex, read }) => {
    expect(() => new TlsReader(fromHex(hex))[read]()).toThrow(
      expect.objectContaining({ code: 'mls-failure' }),
    );
  });
});
