import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadNameHash } from '../names/name-hash.js';
import { SlimName } from '../names/slim-name.js';
import { encodeDataFrame } from './data-frame.js';
import { DataFrameReader } from './data-frame-reader.js';
import { applicationPayload, frame, publish, type Frame } from './frame.js';
import { slimHeader, type SlimHeader } from './header.js';
import { sessionHeader } from './session-header.js';
import { WireName } from './wire-name.js';

beforeAll(loadNameHash);

const name = (text: string): WireName => WireName.of(SlimName.parse(text));

const uint32 = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const anySession = fc.record({
  sessionType: uint32,
  messageType: uint32,
  sessionId: uint32,
  messageId: uint32,
});
const anyPayload = fc.record({
  payloadType: fc.oneof(fc.constantFrom('', 'msg', 'text/plain'), fc.string({ unit: 'grapheme' })),
  blob: fc.uint8Array({ maxLength: 20_000 }),
});
const anyHeader = fc.record({
  identity: fc.string({ maxLength: 300 }),
  fanout: uint32,
  ttl: uint32,
  headerMac: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
  error: fc.option(fc.boolean(), { nil: undefined }),
});

const headerOf = (fields: Partial<SlimHeader>): SlimHeader =>
  slimHeader.make({
    source: name('acme/billing/a'),
    destination: name('acme/billing/b'),
    ...fields,
  });

const frameOf = (fields: Parameters<typeof publish.make>[0]): Frame =>
  frame.make({ publish: publish.make(fields) });

describe('the frame of a data message, by hand', () => {
  it('is what the definitions write, and read', () => {
    const reader = new DataFrameReader();
    fc.assert(
      fc.property(anyHeader, anySession, anyPayload, (fields, session, application) => {
        const header = headerOf(fields);
        const message = frameOf({ header, session, content: { application, command: undefined } });
        const bytes = encodeDataFrame(slimHeader.encode(header), session, application);
        expect(bytes).toStrictEqual(frame.encode(message));
        expect(reader.decode(bytes)).toStrictEqual(frame.decode(bytes));
        // Once more, by what is remembered.
        expect(reader.decode(bytes)).toStrictEqual(frame.decode(bytes));
      }),
    );
  });

  it('is read as by the definitions, or refused as by them, whatever became of it', () => {
    const reader = new DataFrameReader();
    const outcome = (decode: () => Frame): unknown => {
      try {
        return decode();
      } catch (reason) {
        return String(reason);
      }
    };
    const change = fc.record({
      at: fc.nat(400),
      byte: fc.nat(255),
      cut: fc.nat(20),
      add: fc.nat(3),
    });
    fc.assert(
      fc.property(
        anySession,
        anyPayload,
        change,
        (session, application, { at, byte, cut, add }) => {
          const header = slimHeader.encode(headerOf({ identity: 'token' }));
          const whole = encodeDataFrame(header, session, application);
          const bytes = new Uint8Array(Math.max(0, whole.length - cut) + add);
          bytes.set(whole.subarray(0, bytes.length));
          if (at < bytes.length) bytes[at] = byte;
          expect(outcome(() => reader.decode(bytes))).toStrictEqual(
            outcome(() => frame.decode(bytes)),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('reads a number of more than 32 bits as the definitions do', () => {
    const header = slimHeader.encode(headerOf({}));
    const session = sessionHeader.make({ messageId: 2 ** 32 - 1 });
    const bytes = encodeDataFrame(header, session, applicationPayload.make());
    // The last byte of the message id, before the empty content.
    expect(bytes[bytes.length - 5]).toBe(0x0f);
    bytes[bytes.length - 5] = 0x1f;
    expect(new DataFrameReader().decode(bytes)).toStrictEqual(frame.decode(bytes));
  });

  it('gives one header object for equal headers, which keeps no frame alive', () => {
    const reader = new DataFrameReader();
    const header = slimHeader.encode(headerOf({ headerMac: new Uint8Array(32).fill(7) }));
    const read = (messageId: number): SlimHeader | undefined => {
      const session = sessionHeader.make({ messageId });
      const bytes = encodeDataFrame(header, session, applicationPayload.make());
      const found = reader.decode(bytes).publish?.header;
      bytes.fill(0);
      return found;
    };
    const first = read(1);
    expect(read(2)).toBe(first);
    expect(first).toStrictEqual(slimHeader.decode(header));
  });
});
