import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, wireNameOf } from '../testing/frames.js';
import { fromHex, toHex } from '../testing/hex.js';
import { frame } from './frame.js';
import {
  forwardPublish,
  isPublish,
  LastHeader,
  patchPublish,
  viewPublish,
  type PublishView,
} from './publish-view.js';

beforeAll(loadNameHash);

const malformed = expect.objectContaining({ code: 'malformed-frame' });
const none = new Uint8Array();

/** A field with its tag and length; less than 128 bytes. */
function field(tag: string, ...contents: string[]): string {
  const content = contents.join('').replaceAll(' ', '');
  return `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
}

/** Two names with hashes only, told apart by the last one. */
const source = field('0a', field('0a', '08 01 10 02 18 03'));
const destination = field('12', field('0a', '08 01 10 02 18 04'));
const session = '12 02 1801';
const content = '1a 00';

/** Of small hashes. */
const prefixOf = (...hashes: readonly number[]): string =>
  hashes.map((hash) => String.fromCharCode(hash, 0, 0, 0)).join('');

const aPublish = (header: string, ...rest: string[]): Uint8Array =>
  fromHex(field('1a', field('0a', header), ...rest));

describe('viewPublish', () => {
  it('reads the header fields that a node looks at', () => {
    const hops = '30 07 38 01 40 02 48 03';
    const header = `${source}${destination} 1a0161 20 8002 2a0162 ${hops} 50 00 5a 01 ff 62 01 ee`;
    const view = viewPublish(aPublish(header, session, content));
    expect(view.header.source?.prefix).toBe(prefixOf(1, 2, 3));
    expect(view.destination.prefix).toBe(prefixOf(1, 2, 4));
    expect(view.header).toMatchObject({
      identity: fromHex('61'),
      fanout: 256,
      ttl: 7,
      receivedFrom: 1n,
      forwardTo: 2n,
      error: false,
      headerMac: fromHex('ff'),
    });
  });

  it('takes a header that says no more than it must', () => {
    const { header } = viewPublish(aPublish(source + destination, session));
    expect(header).toMatchObject({ identity: none, fanout: 0, ttl: 0, error: undefined });
    expect(header.headerMac).toBeUndefined();
  });

  it.each([
    { what: 'no publish', frame: () => fromHex('22 00') },
    { what: 'an empty frame', frame: () => none },
    { what: 'no header', frame: () => fromHex(field('1a', session, content)) },
    { what: 'no source', frame: () => aPublish(destination, session) },
    { what: 'no destination', frame: () => aPublish(source, session) },
    {
      what: 'a source without its encoded form',
      frame: () => aPublish(field('0a', '12 00') + destination, session),
    },
    {
      what: 'a destination without its encoded form',
      frame: () => aPublish(source + field('12', '12 00'), session),
    },
    { what: 'no session header', frame: () => aPublish(source + destination, content) },
    {
      what: 'two headers',
      frame: () => aPublish(source + destination, session, field('0a', source, destination)),
    },
    { what: 'two publishes', frame: () => fromHex('1a 00 1a 00') },
    { what: 'a name that is no message', frame: () => aPublish('0a 01 0a' + destination, session) },
    { what: 'a length past the end', frame: () => fromHex('1a 05 0a') },
    { what: 'bytes that are no protobuf', frame: () => fromHex('ff ff ff') },
  ])('refuses $what', ({ frame: build }) => {
    expect(() => viewPublish(build())).toThrow(malformed);
  });

  it('finds the publish behind metadata and fields of later versions', () => {
    const bytes = fromHex(
      '22 03 0a016b' + '7a 01 01' + toHex(aPublish(source + destination, session)),
    );
    expect(isPublish(bytes)).toBe(false);
    expect(viewPublish(bytes).destination.prefix).toBe(prefixOf(1, 2, 4));
  });
});

describe('forwardPublish', () => {
  it('replaces what concerns one hop and keeps all else, fields of later versions among it', () => {
    const hops = '30 08 38 07 40 06 48 05 5a 01 ff';
    const passed = `${source}${destination}1a0161 2001 2a0162 5001 6201ee 7a0109`.replaceAll(
      ' ',
      '',
    );
    const view = viewPublish(
      fromHex(
        field('1a', field('0a', passed, hops), session, content, '7a 01 08') +
          '22 03 0a016b' +
          '7a 01 07',
      ),
    );
    const expected =
      field('1a', field('0a', passed, '30 02', '5a 02 abcd'), session, content, '7a 01 08') +
      '22 03 0a016b' +
      '7a 01 07';
    expect(toHex(forwardPublish(view, 2, fromHex('abcd')))).toBe(expected.replaceAll(' ', ''));
  });

  it('writes no tag where there is none', () => {
    const view = viewPublish(aPublish(`${source}${destination}5a01ff`, session));
    const expected = aPublish(`${source}${destination}3001`, session);
    expect(toHex(forwardPublish(view, 1, undefined))).toBe(toHex(expected));
  });

  it.each([1, 127, 128, 0xffff_ffff])('writes the ttl %d', (ttl) => {
    const view = viewPublish(aPublish(source + destination, session));
    const forwarded = frame.decode(forwardPublish(view, ttl, undefined));
    expect(forwarded.publish?.header?.ttl).toBe(ttl);
  });

  it.each([0, 100, 128, 16_384, 100_000])('copies a payload of %d bytes', (length) => {
    const message = publishTo(wireNameOf('org/ns/receiver'));
    const blob = new Uint8Array(length).fill(7);
    const publish = message.publish && {
      ...message.publish,
      content: { application: { payloadType: 'msg', blob }, command: undefined },
    };
    const forwarded = forwardPublish(viewPublish(frame.encode({ ...message, publish })), 1, none);
    const { content: copied } = frame.decode(forwarded).publish ?? {};
    expect(toHex(copied?.application?.blob ?? none)).toBe(toHex(blob));
  });

  it('does not touch the frame it was read from', () => {
    const bytes = frame.encode(publishTo(wireNameOf('org/ns/receiver')));
    const before = toHex(bytes);
    forwardPublish(viewPublish(bytes), 1, none).fill(0);
    expect(toHex(bytes)).toBe(before);
  });
});

describe('patchPublish', () => {
  const names = source + destination;
  const tag = '5a 02 0102';
  const newTag = fromHex('abcd');

  /** What both ways make of a frame. */
  function both(bytes: Uint8Array, ttl: number, mac: Uint8Array | undefined) {
    const copied = frame.decode(forwardPublish(viewPublish(bytes.slice()), ttl, mac));
    const before = toHex(bytes);
    const patched = patchPublish(viewPublish(bytes), ttl, mac);
    if (patched) expect(patched).toBe(bytes);
    else expect(toHex(bytes)).toBe(before);
    return { copied, patched: patched && frame.decode(patched) };
  }

  it('writes over ttl and tag in the frame and nothing else', () => {
    const bytes = aPublish(`${names} 30 08 1a0161 ${tag} 7a0109`, session, content, '7a 01 08');
    const expected = aPublish(`${names} 30 07 1a0161 5a02abcd 7a0109`, session, content, '7a0108');
    expect(patchPublish(viewPublish(bytes), 7, newTag)).toBe(bytes);
    expect(toHex(bytes)).toBe(toHex(expected));
  });

  it.each([
    { what: 'the ttl is not there', header: tag },
    { what: 'the ttl is there twice', header: `30 08 30 08 ${tag}` },
    { what: 'the ttl takes two bytes', header: `30 8801 ${tag}` },
    { what: 'the tag is not there', header: '30 08' },
    { what: 'the tag is there twice', header: `30 08 ${tag} ${tag}` },
    { what: 'the tag is of another length', header: '30 08 5a 01 01' },
    { what: 'receivedFrom is there', header: `30 08 ${tag} 38 01` },
    { what: 'forwardTo is there', header: `30 08 ${tag} 40 01` },
    { what: 'incomingConnection is there', header: `30 08 ${tag} 48 01` },
  ])('leaves the frame as it is when $what', ({ header }) => {
    const bytes = aPublish(names + header, session);
    expect(both(bytes, 7, newTag).patched).toBeUndefined();
  });

  it.each([0, 128])('leaves the frame as it is for the ttl %d', (ttl) => {
    expect(both(aPublish(`${names} 30 08 ${tag}`, session), ttl, newTag).patched).toBeUndefined();
  });

  it('leaves the frame as it is when its tag has to go', () => {
    const bytes = aPublish(`${names} 30 08 ${tag}`, session);
    expect(both(bytes, 7, undefined).patched).toBeUndefined();
  });

  it('gives what a copy would have given, wherever it gives anything', () => {
    const parts = fc.constantFrom(
      ...[
        '30 08',
        '30 7f',
        '30 8001',
        tag,
        '5a 00',
        '1a 01 61',
        '20 01',
        '38 01',
        '40 01',
        '48 01',
      ],
      ...['50 00', '50 01', '62 01 ee', '7a 01 09'],
    );
    const macs = fc.constantFrom(undefined, new Uint8Array(), newTag);
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 6 }), fc.nat(130), macs, (header, ttl, mac) => {
        const bytes = aPublish([names, ...header].join(''), session, content);
        const { copied, patched } = both(bytes, ttl, mac);
        expect(patched ?? copied).toStrictEqual(copied);
      }),
    );
  });
});

describe('LastHeader', () => {
  const names = source + destination;
  const otherNames = field('0a', field('0a', '08 01 10 02 18 05')) + destination;
  /** Starts at different places of a frame, by what is before it and by how long the frame is. */
  const frames = fc.record({
    header: fc.constantFrom(
      ...[`${names} 30 08 1a0161 5a 02 0102`, `${names} 30 08 1a0162 5a 02 0102`],
      ...[`${names} 30 08 1a0161 5a 02 0103`, `${names} 1a0161 30 08 5a 02 0102`],
      ...[names, otherNames, `${otherNames} 30 08 1a0161 5a 02 0102`],
    ),
    before: fc.constantFrom('', '22 03 0a016b'),
    payload: fc.constantFrom(content, `1a 7f ${'00'.repeat(127)}`),
  });
  type Made = typeof frames extends fc.Arbitrary<infer Value> ? Value : never;

  function built({ header, before, payload }: Made): Uint8Array {
    const inner = `${field('0a', header)} ${session} ${payload}`.replaceAll(' ', '');
    const length = inner.length / 2;
    const prefix = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
    return fromHex(`${before} 1a ${toHex(Uint8Array.from(prefix))} ${inner}`);
  }

  const fieldsOf = ({ header, destination: to }: PublishView) => {
    const { source: from, identity, fanout, ttl, error, headerMac } = header;
    return { from, to, identity, fanout, ttl, error, headerMac };
  };

  it('reads what reading each header alone reads, whatever is written over the frames', () => {
    const mac = fromHex('abcd');
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 20 }), (sent) => {
        const last = new LastHeader();
        for (const each of sent) {
          const [alone, one] = [viewPublish(built(each)), viewPublish(built(each), last)];
          expect(fieldsOf(one)).toStrictEqual(fieldsOf(alone));
          expect(forwardPublish(one, 7, mac)).toStrictEqual(forwardPublish(alone, 7, mac));
          expect(patchPublish(one, 7, mac)).toStrictEqual(patchPublish(alone, 7, mac));
        }
      }),
    );
  });

  it('keeps a header that comes again, and what the next hop gets of it', () => {
    const last = new LastHeader();
    const view = (header: string) => viewPublish(aPublish(header, session), last);
    const read = (header: string) => view(header).header;
    const headers = [1, 2, 3, 4].map(() => read(`${names} 30 08`));
    expect(new Set(headers).size).toBe(2);
    const [, kept] = headers;
    const hops = [7, 7, 6].map((ttl) => view(`${names} 30 08`).header.hop(ttl));
    expect(hops[0]).toBe(hops[1]);
    expect(hops.map(({ ttl }) => ttl)).toStrictEqual([7, 7, 6]);
    expect(read(otherNames)).not.toBe(kept);
    expect(read(`${names} 30 08`)).toBe(kept);
  });

  it('keeps none that is longer than 4,096 bytes', () => {
    const last = new LastHeader();
    const sizes = [3_000, 5_000].map((length) => {
      const message = publishTo(wireNameOf('org/ns/receiver'));
      const publish = message.publish && {
        ...message.publish,
        header: message.publish.header && {
          ...message.publish.header,
          identity: 'x'.repeat(length),
        },
      };
      const bytes = frame.encode({ ...message, publish });
      return new Set([1, 2, 3, 4].map(() => viewPublish(bytes, last).header)).size;
    });
    expect(sizes).toStrictEqual([2, 4]);
  });
});
