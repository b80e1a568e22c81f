import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash } from '../names/name-hash.js';
import { nameId, nullId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { wireNameOf } from '../testing/frames.js';
import { fromHex, toHex } from '../testing/hex.js';
import { ByteWriter } from './byte-writer.js';
import { WireName, internName } from './wire-name.js';

beforeAll(loadNameHash);

const one = nameId(1n);
const nothing = new Uint8Array();

function macBlock(name: WireName): string {
  const out = new ByteWriter();
  name.writeMacBlock(out);
  return toHex(out.finish());
}

const text = 'org/ns/a/00000000-0000-0000-0000-000000000001';
/** `org/ns/a` with id 1: three hashes, the id, three strings. */
const encoded = [
  '0a 24',
  '08 bbacaab7b780969f8701',
  '10 d1a1a6e3a4d3ddfcee01',
  '18 80a5a982a591c0fa3f',
  '22 02 1001',
  '12 0c 0a036f7267 12026e73 1a0161',
].join('');

describe('WireName', () => {
  it('has hashes, id and strings on the wire', () => {
    expect(toHex(wireNameOf(text).bytes)).toBe(encoded.replaceAll(' ', ''));
  });

  it('writes the NULL id out, as two varints of ten bytes', () => {
    const hex = toHex(wireNameOf('org/ns/a').bytes);
    expect(hex).toContain('22' + '16' + '08ffffffffffffffffff01' + '10ffffffffffffffffff01');
  });

  it('gives the name back', () => {
    const name = internName(fromHex(encoded));
    expect(name.slimName).toStrictEqual(SlimName.parse(text));
    expect(name.text).toBe(text);
    expect([name.isRoutable, name.hasText]).toStrictEqual([true, true]);
  });

  it('can be made again of its parts, without hashing', () => {
    const name = wireNameOf(text);
    const { prefix, components, id } = name;
    expect(components).toStrictEqual(['org', 'ns', 'a']);
    expect(components && toHex(WireName.ofParts(prefix, components, id).bytes)).toBe(
      toHex(name.bytes),
    );
  });

  it.each([
    [['org', 'ns', 'a']],
    [['', 'ns', '']],
    [['', '', '']],
    [['münchen', '日本語', '🚀']],
  ] as const)('has the strings %j', (components) => {
    expect(WireName.of(new SlimName(components)).components).toStrictEqual(components);
  });

  it('has no strings when there are none', () => {
    expect(internName(wireNameOf(text).bytes.subarray(0, 0x26)).components).toBeUndefined();
  });

  it('is routed by its hashes and id, whatever the strings say', () => {
    const real = wireNameOf(text);
    const mislabelled = internName(fromHex(encoded.replace('1a0161', '1a0162')));
    expect(mislabelled.prefix).toBe(real.prefix);
    expect(mislabelled.id).toBe(real.id);
    expect(mislabelled.equals(real)).toBe(false);
  });

  it('routes an absent id like the NULL id, but is another name with another tag', () => {
    const absent = internName(fromHex(encoded.replace('24', '20').replace('22 02 1001', '')));
    const written = wireNameOf('org/ns/a');
    expect([absent.id, written.id]).toStrictEqual([nullId, nullId]);
    expect(absent.equals(written)).toBe(false);
    expect(macBlock(absent)).not.toBe(macBlock(written));
  });

  it('can be routed without strings, though it cannot be shown', () => {
    const [hashes = ''] = encoded.split('12 0c');
    const name = internName(fromHex(hashes));
    expect([name.isRoutable, name.hasText]).toStrictEqual([true, false]);
    expect(() => name.slimName).toThrow(expect.objectContaining({ code: 'malformed-frame' }));
  });

  it('cannot be routed by strings alone', () => {
    const name = internName(fromHex('12 0c 0a036f7267 12026e73 1a0161'));
    expect([name.isRoutable, name.hasText]).toStrictEqual([false, false]);
  });

  it('is equal to a name of equal bytes and to nothing else', () => {
    const name = wireNameOf(text);
    expect(name.equals(wireNameOf(text))).toBe(true);
    expect(name.equals(name.withId(nullId))).toBe(false);
    expect(name.equals(wireNameOf('org/ns/b').withId(one))).toBe(false);
    expect(name.equals(undefined)).toBe(false);
  });

  it('names another instance with another id, without its strings too', () => {
    expect(wireNameOf('org/ns/a').withId(one).equals(wireNameOf(text))).toBe(true);
    const bare = internName(nothing).withId(one);
    expect(bare.id).toBe(one);
  });

  it('keeps long strings apart', () => {
    const long = (last: string) =>
      WireName.of(new SlimName(['org', 'ns', 'x'.repeat(10_000) + last], one));
    expect(long('a').equals(long('a'))).toBe(true);
    expect(long('a').equals(long('b'))).toBe(false);
  });
});

describe('writeMacBlock', () => {
  it('has a byte for the presence of every part, and integers with the low byte first', () => {
    const block = [
      '01 01 3b96ea7603583e87 d190694c9a76f9ee 80524a508a00f53f',
      '01 0000000000000000 0100000000000000',
      '01 03000000 6f7267 02000000 6e73 01000000 61',
    ].join('');
    expect(macBlock(wireNameOf(text))).toBe(block.replaceAll(' ', ''));
  });

  it('is three bytes for a name with nothing in it', () => {
    expect(macBlock(internName(nothing))).toBe('010000');
  });
});

describe('internName', () => {
  it('gives the same object for equal bytes, which is what makes it cheap', () => {
    const first = internName(fromHex(encoded));
    const padded = fromHex(`ff${encoded}ff`);
    expect(internName(padded.subarray(1, -1))).toBe(first);
  });

  it('does not depend on the buffer it was read from', () => {
    const buffer = fromHex(encoded.replace('1a0161', '1a0163'));
    const name = internName(buffer);
    buffer.fill(0);
    expect(name.text).toContain('org/ns/c');
  });

  it('does not keep a name that is very long', () => {
    const bytes = WireName.of(new SlimName(['org', 'ns', 'x'.repeat(2_000)], one)).bytes;
    const first = internName(bytes);
    expect(internName(bytes)).not.toBe(first);
    expect(internName(bytes).equals(first)).toBe(true);
  });

  it('takes what another encoder might write for the same name', () => {
    const odd = fromHex('12 0c 0a036f7267 12026e73 1a0161' + encoded.split('12 0c')[0]);
    expect(internName(odd).equals(wireNameOf(text))).toBe(true);
    expect(internName(odd).prefix).toBe(wireNameOf(text).prefix);
  });

  it('survives more names than it keeps', () => {
    const name = wireNameOf(text);
    for (let id = 0n; id < 40_000n; id += 1n) internName(name.withId(nameId(id)).bytes);
    expect(internName(name.bytes).equals(name)).toBe(true);
  });

  it('refuses bytes that are no name', () => {
    expect(() => internName(fromHex('0a05'))).toThrow(
      expect.objectContaining({ code: 'malformed-frame' }),
    );
  });
});
