import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toHex } from '../testing/hex.js';
import { ByteWriter, lengthOfVarint } from './byte-writer.js';
import { ProtobufReader } from './protobuf-reader.js';

const written = (write: (out: ByteWriter) => void): string => {
  const out = new ByteWriter(1);
  write(out);
  return toHex(out.finish());
};

describe('ByteWriter', () => {
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [0xffff_ffff, 'ffffffff0f'],
    [2 ** 49, '80808080808080' + '01'],
  ])('writes the varint %d as %s', (value, hex) => {
    expect(written((out) => out.varint(value))).toBe(hex);
    expect(written((out) => out.varint64(BigInt(value)))).toBe(hex);
    expect(lengthOfVarint(value)).toBe(hex.length / 2);
  });

  it('writes the largest 64-bit varint in ten bytes', () => {
    expect(written((out) => out.varint64(2n ** 64n - 1n))).toBe('ffffffffffffffffff01');
  });

  it('writes fixed integers with the low byte first', () => {
    expect(written((out) => out.uint32LittleEndian(0x8123_4567))).toBe('67452381');
    expect(written((out) => out.uint64LittleEndian(0x8123_4567_89ab_cdefn))).toBe(
      'efcdab8967452381',
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 70_000])(
    'puts the length before a content of %d bytes, however many bytes the length takes',
    (length) => {
      const content = new Uint8Array(length).fill(7);
      const out = new ByteWriter(1);
      out.delimited(() => out.raw(content));
      const plain = new ByteWriter();
      plain.bytes(content);
      expect(toHex(out.finish())).toBe(toHex(plain.finish()));
    },
  );

  it('nests delimited contents', () => {
    const hex = written((out) =>
      out.delimited(() => {
        out.byte(1);
        out.delimited(() => out.string('ab'));
      }),
    );
    expect(hex).toBe('05' + '01' + '03' + '02' + '6162');
  });

  it('copies the bytes it is given and gives away a copy', () => {
    const given = Uint8Array.of(1, 2);
    const out = new ByteWriter();
    out.raw(given);
    const first = out.finish();
    given[0] = 9;
    out.reset().raw(Uint8Array.of(3, 4));
    expect(toHex(first)).toBe('0102');
    expect(toHex(out.view())).toBe('0304');
  });

  it('writes what the reader reads', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.nat(),
        fc.uint8Array(),
        (text, large, small, bytes) => {
          const out = new ByteWriter(1);
          out.string(text);
          out.varint64(large);
          out.varint(small);
          out.bytes(bytes);
          const reader = new ProtobufReader(out.finish());
          expect([reader.string(), reader.varint64(), reader.varint()]).toStrictEqual([
            text,
            large,
            small,
          ]);
          expect(toHex(reader.bytes())).toBe(toHex(bytes));
          expect(reader.done).toBe(true);
        },
      ),
    );
  });
});
