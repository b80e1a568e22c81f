import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadNameHash } from '../names/name-hash.js';
import { nameId, nullId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { SlimError } from '../errors/slim-error.js';
import { fromHex, toHex } from '../testing/hex.js';
import { frame, publish } from './frame.js';
import { slimHeader } from './header.js';
import { viewPublish } from './publish-view.js';
import {
  bool,
  bytes,
  message,
  optionalBool,
  optionalBytes,
  optionalUint64,
  repeated,
  string,
  sub,
  textMap,
  uint32,
  uint64,
} from './schema.js';
import { sessionHeader } from './session-header.js';
import { WireName } from './wire-name.js';

const inner = message({ id: uint32(1) });
const everything = message({
  number: uint32(1),
  large: uint64(2),
  flag: bool(3),
  text: string(4),
  blob: bytes(5),
  maybeLarge: optionalUint64(6),
  maybeFlag: optionalBool(7),
  maybeBlob: optionalBytes(8),
  inner: sub(9, inner),
  list: repeated(10, inner),
  map: textMap(11),
});

const malformed = expect.objectContaining({ code: 'malformed-frame' });

describe('a message definition', () => {
  it('writes every field in the order of the numbers', () => {
    const value = everything.make({
      map: new Map([['k', '']]),
      list: [{ id: 1 }, { id: 0 }],
      inner: { id: 2 },
      maybeBlob: fromHex(''),
      maybeFlag: false,
      maybeLarge: 0n,
      blob: fromHex('ff'),
      text: 'é',
      flag: true,
      large: 2n ** 64n - 1n,
      number: 300,
    });
    const hex = [
      '08 ac02',
      '10 ffffffffffffffffff01',
      '18 01',
      '22 02 c3a9',
      '2a 01 ff',
      '30 00',
      '38 00',
      '42 00',
      '4a 02 0802',
      '52 02 0801',
      '52 00',
      '5a 05 0a016b 1200',
    ].join(' ');
    expect(toHex(everything.encode(value))).toBe(hex.replaceAll(' ', ''));
    expect(everything.decode(fromHex(hex))).toStrictEqual(value);
  });

  it('leaves out scalars that hold their default, but not an empty message', () => {
    expect(toHex(everything.encode(everything.make()))).toBe('');
    expect(toHex(everything.encode(everything.make({ inner: inner.make() })))).toBe('4a00');
  });

  it('reads an absent field as its default', () => {
    expect(everything.decode(new Uint8Array())).toStrictEqual({
      number: 0,
      large: 0n,
      flag: false,
      text: '',
      blob: new Uint8Array(),
      maybeLarge: undefined,
      maybeFlag: undefined,
      maybeBlob: undefined,
      inner: undefined,
      list: [],
      map: new Map(),
    });
  });

  it('passes over fields it does not know, of every wire type', () => {
    const hex = '78 01 79 0102030405060708 7a 02 0102 7d 01020304 08 07';
    expect(everything.decode(fromHex(hex)).number).toBe(7);
  });

  it('passes over a field that came with another wire type', () => {
    expect(everything.decode(fromHex('0a 01 00 08 07')).number).toBe(7);
  });

  it('keeps an enum number of a later version', () => {
    const header = sessionHeader.decode(fromHex('08 63 10 e807'));
    expect([header.sessionType, header.messageType]).toStrictEqual([99, 1000]);
    expect(toHex(sessionHeader.encode(header))).toBe('086310e807');
  });

  it('takes fields in any order and the last of several values', () => {
    expect(everything.decode(fromHex('22 01 61 08 01 08 02')).number).toBe(2);
  });

  it('takes the last value of a map key, and an entry without key or value', () => {
    const { map } = everything.decode(
      fromHex('5a 06 0a016b 120161 5a 06 0a016b 120162 5a 03 120176 5a 03 0a0178'),
    );
    expect([...map]).toStrictEqual([
      ['k', 'b'],
      ['', 'v'],
      ['x', ''],
    ]);
  });

  it.each(['08', '08 80', '22 05 61', '22 02 c328', '4a 03 0801', '5a 02 0a05', '0b', '00'])(
    'refuses %s',
    (hex) => {
      expect(() => everything.decode(fromHex(hex))).toThrow(malformed);
    },
  );

  it('gives byte fields as views', () => {
    const input = fromHex('2a 01 01');
    const { blob } = everything.decode(input);
    input[2] = 9;
    expect(blob[0]).toBe(9);
  });

  it('does not share an empty list or map between messages', () => {
    const first = everything.decode(fromHex('52 00 5a 03 0a016b'));
    const second = everything.decode(new Uint8Array());
    expect([first.list.length, first.map.size]).toStrictEqual([1, 1]);
    expect([second.list.length, second.map.size]).toStrictEqual([0, 0]);
  });

  it('reads long lists and maps in one pass, so that no peer can keep us busy with them', () => {
    const count = 30_000;
    const map = new Map(Array.from({ length: count }, (_, index) => [`${index}`, '']));
    const list = Array.from({ length: count }, (_, id) => ({ id }));
    const input = everything.encode(everything.make({ list, map }));
    const began = performance.now();
    const value = everything.decode(input);
    // A copy for each entry takes half a minute, one pass some 20 ms.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect([value.list.length, value.map.size]).toStrictEqual([count, count]);
  });
});

const uint64s = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const uint32s = fc.nat({ max: 0xffff_ffff });
const texts = fc.string({ unit: 'grapheme' });
const ids = fc.oneof(
  fc.constant(nullId),
  fc.bigInt({ min: 0n, max: nullId }).map((value) => nameId(value)),
);
const names = fc
  .tuple(texts, texts, texts, ids)
  .map(([org, namespace, service, id]) => WireName.of(new SlimName([org, namespace, service], id)));
const headers = fc
  .record({
    source: names,
    destination: names,
    identity: texts,
    fanout: uint32s,
    version: texts,
    ttl: uint32s,
    receivedFrom: fc.option(uint64s, { nil: undefined }),
    forwardTo: fc.option(uint64s, { nil: undefined }),
    incomingConnection: fc.option(uint64s, { nil: undefined }),
    error: fc.option(fc.boolean(), { nil: undefined }),
    headerMac: fc.option(fc.uint8Array(), { nil: undefined }),
    headerSignature: fc.option(fc.uint8Array(), { nil: undefined }),
  })
  .map((fields) => slimHeader.make(fields));
const publishes = fc
  .record({
    header: headers,
    session: fc
      .record({
        sessionType: uint32s,
        messageType: uint32s,
        sessionId: uint32s,
        messageId: uint32s,
      })
      .map((fields) => sessionHeader.make(fields)),
    payloadType: texts,
    blob: fc.uint8Array({ maxLength: 300 }),
    metadata: fc.array(fc.tuple(texts, texts)),
  })
  .map(({ header, session, payloadType, blob, metadata }) =>
    frame.make({
      publish: publish.make({
        header,
        session,
        content: { application: { payloadType, blob }, command: undefined },
      }),
      metadata: new Map(metadata),
    }),
  );

describe('frame', () => {
  beforeAll(loadNameHash);

  it('encodes again what it decoded, to the same bytes', () => {
    fc.assert(
      fc.property(publishes, (value) => {
        const encoded = frame.encode(value);
        const decoded = frame.decode(encoded);
        expect(decoded).toStrictEqual(value);
        expect(toHex(frame.encode(decoded))).toBe(toHex(encoded));
      }),
    );
  });

  it.each([
    { what: 'frame.decode', read: (input: Uint8Array) => frame.decode(input) },
    { what: 'viewPublish', read: (input: Uint8Array) => viewPublish(input) },
  ])('meets arbitrary bytes with malformed-frame or a value: $what', ({ read }) => {
    const attempt = (input: Uint8Array): void => {
      try {
        read(input);
      } catch (reason) {
        expect(reason).toBeInstanceOf(SlimError);
        expect(reason).toMatchObject({ code: 'malformed-frame' });
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
    fc.assert(
      fc.property(publishes, fc.nat(), fc.nat({ max: 255 }), (value, at, byte) => {
        const damaged = frame.encode(value);
        damaged[at % damaged.length] = byte;
        attempt(damaged);
        attempt(damaged.subarray(0, at % damaged.length));
      }),
    );
  });
});
