import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, toHex } from '../testing/hex.js';
import { NameFields } from './name-fields.js';
import { nameMessage, type NameMessage } from './name-message.js';

const fields = new NameFields();
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 127n));
const option = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

function names(text: fc.Arbitrary<string>): fc.Arbitrary<NameMessage> {
  return fc.record({
    encoded: option(
      fc.record({
        component0: uint64,
        component1: uint64,
        component2: uint64,
        id: option(fc.record({ high: uint64, low: uint64 })),
      }),
    ),
    text: option(fc.record({ text0: text, text1: text, text2: text })),
  });
}

const littleEndian = (...values: bigint[]): string => {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  for (const [index, value] of values.entries()) view.setBigUint64(index * 8, value, true);
  return toHex(new Uint8Array(view.buffer));
};

/** That what was read is what the definition reads. */
function expectSame(bytes: Uint8Array): void {
  const { encoded, text } = nameMessage.decode(bytes);
  expect(fields.hasEncoded).toBe(encoded !== undefined);
  expect(fields.hasText).toBe(text !== undefined);
  expect(fields.hasId).toBe(encoded?.id !== undefined);
  if (encoded) {
    const { component0, component1, component2, id } = encoded;
    expect(toHex(fields.hashes)).toBe(littleEndian(component0, component1, component2));
    if (id) {
      expect([fields.high, fields.low]).toStrictEqual([id.high, id.low]);
      expect(toHex(fields.id)).toBe(littleEndian(id.high, id.low));
    }
  }
  if (!text) return;
  const [a, b, c, d, e, f] = fields.texts;
  const strings = [bytes.subarray(a, b), bytes.subarray(c, d), bytes.subarray(e, f)];
  const decoder = new TextDecoder();
  expect(strings.map((part) => decoder.decode(part))).toStrictEqual(Object.values(text));
}

describe('NameFields', () => {
  it('reads what the definition writes, where strings are ASCII', () => {
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 20 });
    fc.assert(
      fc.property(names(ascii), (name) => {
        const bytes = nameMessage.encode(name);
        expect(fields.read(bytes)).toBe(true);
        expectSame(bytes);
      }),
    );
  });

  it('reads other strings only where they are known to be good', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(names(text), (name) => {
        const bytes = nameMessage.encode(name);
        expect(fields.readCanonical(bytes)).toBe(true);
        expectSame(bytes);
        if (/[^\0-\x7f]/.test(Object.values(name.text ?? {}).join(''))) {
          expect(fields.read(bytes)).toBe(false);
        }
      }),
    );
  });

  it('reads nothing that the definition would write in another way, or not read', () => {
    const damage = fc.record({
      at: fc.nat(),
      remove: fc.nat(2),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(
        names(fc.string({ maxLength: 3 })),
        fc.array(damage, { maxLength: 2 }),
        (name, damages) => {
          let bytes: Uint8Array = nameMessage.encode(name);
          for (const { at, remove, insert } of damages) {
            const start = bytes.length === 0 ? 0 : at % bytes.length;
            bytes = Uint8Array.of(
              ...bytes.subarray(0, start),
              ...insert,
              ...bytes.subarray(start + remove),
            );
          }
          if (!fields.read(bytes)) return;
          expectSame(bytes);
          expect(toHex(nameMessage.encode(nameMessage.decode(bytes)))).toBe(toHex(bytes));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    { what: 'a number in more bytes than it takes', bytes: '0a 03 08 81 00' },
    { what: 'a number of more than 64 bits', bytes: '0a 0b 08 ffffffffffffffffff 02' },
    { what: 'a number in eleven bytes', bytes: '0a 0c 08 ffffffffffffffffffff 01' },
    { what: 'a zero that is written', bytes: '0a 02 08 00' },
    { what: 'an empty string that is written', bytes: '12 02 0a 00' },
    { what: 'a length in more bytes than it takes', bytes: '0a 82 00 08 01' },
    { what: 'a length past the end', bytes: '0a 05 08 01' },
    { what: 'a part that runs past the one around it', bytes: '0a 03 22 03 08 01' },
    { what: 'fields in another order', bytes: '0a 04 10 01 08 01' },
    { what: 'a field of a later version', bytes: '0a 02 28 01' },
    { what: 'parts in another order', bytes: '12 03 0a 01 61 0a 02 08 01' },
    { what: 'something behind it', bytes: '0a 02 08 01 18 01' },
  ])('leaves $what to the definition', ({ bytes }) => {
    expect(fields.read(fromHex(bytes))).toBe(false);
  });
});
