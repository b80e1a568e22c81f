import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { wireNameOf } from '../testing/frames.js';
import { toHex } from '../testing/hex.js';
import { TagMemo } from '../wire/tag-memo.js';
import { internName, type WireName } from '../wire/wire-name.js';
import { HeaderMac, type MacFields } from './header-mac.js';

beforeAll(loadNameHash);

const empty: MacFields = {
  source: undefined,
  destination: undefined,
  identity: '',
  fanout: 0,
  error: undefined,
  ttl: 0,
};

const none = new Uint8Array();
const setup = (linkId = 'l', key = new Uint8Array(32)) => new HeaderMac(nodeCrypto, linkId, key);

describe('HeaderMac', () => {
  it('covers the link id and every field, with a byte for what may be absent', () => {
    const preimage = [
      '534c494d2d44502d4844522d763100', // SLIM-DP-HDR-v1 and a zero
      '01000000 6c', // link id
      '00', // source
      '00', // destination
      '00000000', // identity
      '00000000', // fanout
      '00', // receivedFrom
      '00', // forwardTo
      '00', // error
      '00000000', // ttl
    ].join('');
    expect(toHex(setup().preimage(empty))).toBe(preimage.replaceAll(' ', ''));
  });

  it('writes integers with the low byte first and text with its length in bytes', () => {
    const fields = {
      ...empty,
      identity: 'é',
      fanout: 0x0102_0304,
      receivedFrom: 1n,
      forwardTo: 2n ** 64n - 2n,
      error: true,
      ttl: 8,
    };
    const tail = [
      '02000000 c3a9',
      '04030201',
      '01 0100000000000000',
      '01 feffffffffffffff',
      '01 01',
      '08000000',
    ].join('');
    expect(toHex(setup().preimage(fields))).toMatch(new RegExp(`${tail.replaceAll(' ', '')}$`));
  });

  it('takes the identity as text or as its bytes', () => {
    const bytes = new TextEncoder().encode('token é');
    const mac = setup();
    expect(
      mac.verify({ ...empty, identity: bytes }, mac.tag({ ...empty, identity: 'token é' })),
    ).toBe(true);
  });

  it('tells an absent error from one that is false', () => {
    const mac = setup();
    expect(mac.verify({ ...empty, error: false }, mac.tag(empty))).toBe(false);
  });

  it('tells an absent name from an empty one and from a real one', () => {
    const nothing = internName(new Uint8Array());
    const name = wireNameOf('org/ns/a');
    const mac = setup();
    const tags = [undefined, nothing, name].map((source) => toHex(mac.tag({ ...empty, source })));
    expect(new Set(tags).size).toBe(3);
  });

  it.each([
    { what: 'no tag', tag: undefined },
    { what: 'an empty tag', tag: new Uint8Array() },
    { what: 'a tag that is cut', tag: setup().tag(empty).slice(0, 31) },
    { what: 'a tag with a byte more', tag: Uint8Array.of(...setup().tag(empty), 0) },
    { what: 'the tag of another link', tag: setup('m').tag(empty) },
    { what: 'the tag of another key', tag: setup('l', new Uint8Array(32).fill(1)).tag(empty) },
  ])('does not accept $what', ({ tag }) => {
    expect(setup().verify(empty, tag)).toBe(false);
    expect(setup().verifyOnce(empty, tag)).toBe(false);
    expect(setup().verifyOnce(empty, setup().tag(empty))).toBe(true);
  });

  it('makes tags of 32 bytes that stay as they are when the next one is made', () => {
    const mac = setup();
    const first = mac.tag(empty);
    const before = toHex(first);
    mac.tag({ ...empty, ttl: 1 });
    expect([toHex(first), first.length]).toStrictEqual([before, 32]);
  });

  const name = fc.constantFrom(
    ...[undefined, 'org/ns/a', 'org/ns/b', 'org/ns/b/00000000-0000-0000-0000-000000000001'],
  );
  const someBigint = fc.constantFrom(undefined, 0n, 1n, 2n ** 64n - 1n);
  const headers = fc.record({
    link: fc.constantFrom(0, 1, 2),
    source: name,
    destination: name,
    identity: fc.constantFrom('', 'token a', 'token b', new Uint8Array(), Uint8Array.of(1, 2)),
    fanout: fc.constantFrom(0, 1, 256, 0xffff_ffff),
    receivedFrom: someBigint,
    forwardTo: someBigint,
    error: fc.constantFrom(undefined, false, true),
    ttl: fc.constantFrom(0, 7, 8, 0xffff_ffff),
  });

  // The plain HMAC is the oracle of what is remembered.
  it('remembers no tag of another link, or of headers that differ in anything', () => {
    const keys = [new Uint8Array(32), new Uint8Array(32).fill(1), new Uint8Array(32)];
    const links = keys.map((key, link) => setup(link === 2 ? 'm' : 'l', key));
    const names = new Map<string, WireName>();
    const named = (text: string | undefined): WireName | undefined => {
      if (text === undefined) return undefined;
      const found = names.get(text) ?? wireNameOf(text);
      names.set(text, found);
      return found;
    };
    fc.assert(
      fc.property(fc.array(headers, { maxLength: 30 }), (sent) => {
        for (const { link, ...header } of [...sent, ...sent]) {
          const mac = links[link] ?? setup();
          const source = named(header.source);
          const fields = { ...header, source, destination: named(header.destination) };
          const key = keys[link] ?? none;
          const expected = toHex(nodeCrypto.hmacSha256(key, mac.preimage(fields)));
          expect(toHex(mac.tag(fields))).toBe(expected);
        }
      }),
    );
  });

  it('does not look at a frame again, whose bytes were the identity', () => {
    const mac = setup();
    const identity = Uint8Array.of(1, 2, 3);
    const tag = mac.tag({ ...empty, identity });
    identity.fill(9);
    expect(mac.verify({ ...empty, identity }, tag)).toBe(false);
    expect(mac.verify({ ...empty, identity: Uint8Array.of(1, 2, 3) }, tag)).toBe(true);
  });

  function counting() {
    let made = 0;
    const hmacSha256: typeof nodeCrypto.hmacSha256 = (key, data) => {
      made += 1;
      return nodeCrypto.hmacSha256(key, data);
    };
    const mac = new HeaderMac({ ...nodeCrypto, hmacSha256 }, 'l', new Uint8Array(32));
    return { mac, made: () => made };
  }

  it('remembers what a tag verified, and nothing of a header with a wrong one', () => {
    const { mac, made } = counting();
    const tag = setup().tag(empty);
    expect([1, 2].map(() => mac.verify(empty, new Uint8Array(32)))).toStrictEqual([false, false]);
    expect(made()).toBe(2);
    expect([1, 2].map(() => mac.verify(empty, tag))).toStrictEqual([true, true]);
    expect(mac.verify(empty, new Uint8Array(32))).toBe(false);
    expect(made()).toBe(3);
  });

  it('looks no further for fields that come again, each link for itself', () => {
    const { mac, made } = counting();
    const other = counting();
    const header = { ...empty, identity: 'x'.repeat(5_000) };
    const came = { ...header, memo: new TagMemo() };
    const goes = { ...header, ttl: 7, memo: new TagMemo() };
    const tag = setup().tag(header);
    expect(mac.verify(came, new Uint8Array(32))).toBe(false);
    expect([1, 2, 3].map(() => mac.verify(came, tag))).toStrictEqual([true, true, true]);
    expect(mac.verify(came, new Uint8Array(32))).toBe(false);
    expect(new Set([1, 2, 3].map(() => mac.tag(goes))).size).toBe(1);
    expect(made()).toBe(4);
    expect(other.mac.tag(goes)).toStrictEqual(mac.tag(goes));
    expect([other.made(), made()]).toStrictEqual([1, 5]);
  });

  it.each([
    { bytes: 4_096, identity: new Uint8Array(4_096), times: 1 },
    { bytes: 4_097, identity: new Uint8Array(4_097), times: 4 },
    { bytes: 4_097, identity: 'x'.repeat(4_097), times: 4 },
  ])('makes a tag over an identity of $bytes bytes $times times of 4', ({ identity, times }) => {
    const { mac, made } = counting();
    const tags = [1, 2].map(() => mac.tag({ ...empty, identity }));
    expect(tags.map((tag) => mac.verify({ ...empty, identity }, tag))).toStrictEqual([true, true]);
    expect(made()).toBe(times);
  });

  it('makes the tag of a sender and a receiver once, however many others there are', () => {
    const { mac, made } = counting();
    const source = wireNameOf('org/ns/sender');
    const receivers = Array.from({ length: 1_000 }, (_, id) => source.withId(nameId(BigInt(id))));
    const identity = new Uint8Array(230);
    for (let round = 0; round < 3; round += 1) {
      for (const destination of receivers) mac.tag({ ...empty, source, destination, identity });
    }
    expect(made()).toBe(receivers.length);
  });
});
