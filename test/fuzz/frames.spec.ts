import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash } from '@nestjs-slim/core';
import fc from 'fast-check';
import { LinkFrames } from '../../libs/slim-core/src/link/link-frames.js';
import { toIncoming } from '../../libs/slim-core/src/session/incoming.js';
import { DataFrameReader } from '../../libs/slim-core/src/wire/data-frame-reader.js';
import { frame, type Frame } from '../../libs/slim-core/src/wire/frame.js';
import {
  forwardPublish,
  patchPublish,
  viewPublish,
} from '../../libs/slim-core/src/wire/publish-view.js';
import { changed, changes, damagedFrame, outcome, recordedFrame, runs, within } from './fuzz.js';

beforeAll(loadNameHash);

describe('recorded frames that were damaged', () => {
  it(
    'are read by the fast reader as by the definitions, or refused as by them',
    () => {
      const reader = new DataFrameReader();
      fc.assert(
        fc.property(damagedFrame, (bytes) => {
          const fast = outcome(() => reader.decode(bytes.slice()));
          expect(fast).toStrictEqual(outcome(() => frame.decode(bytes)));
        }),
        runs(3_000),
      );
    },
    within(10),
  );

  it(
    'that are read are written and read again to the same',
    () => {
      fc.assert(
        fc.property(damagedFrame, (bytes) => {
          const read = outcome(() => frame.decode(bytes));
          if (typeof read === 'string') return;
          const again = frame.encode(read as Frame);
          expect(frame.decode(again)).toStrictEqual(read);
          // What is written is canonical: nothing changes any more.
          expect(frame.encode(frame.decode(again))).toStrictEqual(again);
        }),
        runs(2_000),
      );
    },
    within(10),
  );

  it(
    'that a node would forward say at the next hop what they said before, but for the hop',
    () => {
      const ttls = fc.integer({ min: 1, max: 200 });
      const macs = fc.constantFrom(undefined, new Uint8Array(32).fill(7));
      fc.assert(
        fc.property(fc.oneof(recordedFrame, damagedFrame), ttls, macs, (bytes, ttl, mac) => {
          const view = outcome(() => viewPublish(bytes.slice()));
          if (typeof view === 'string') return;
          const read = outcome(() => frame.decode(bytes));
          const copied = forwardPublish(viewPublish(bytes.slice()), ttl, mac);
          const patched = patchPublish(viewPublish(bytes.slice()), ttl, mac);
          const next = outcome(() => frame.decode(copied));
          if (patched) expect(outcome(() => frame.decode(patched))).toStrictEqual(next);
          // A node does not look at payloads: what cannot be read stays so.
          if (typeof read === 'string') return expect(next).toBe(read);
          expect(next).toStrictEqual(afterHop(read as Frame, ttl, mac));
        }),
        runs(3_000),
      );
    },
    within(10),
  );

  it(
    'are a message for the session layer, or none, on a link with and without header MAC',
    () => {
      const tags = { verify: () => true, verifyOnce: () => true, tag: () => new Uint8Array(32) };
      const links = [new LinkFrames(undefined), new LinkFrames(tags as never)];
      fc.assert(
        fc.property(damagedFrame, fc.constantFrom(...links), (bytes, link) => {
          const read = outcome(() => link.decode(bytes));
          if (typeof read === 'string') return expect(read).toMatch(/^malformed-frame: /);
          expect(() => toIncoming(read as Frame)).not.toThrow();
        }),
        runs(1_000),
      );
    },
    within(10),
  );

  it('do not share memory with what is kept of them', () => {
    const reader = new DataFrameReader();
    fc.assert(
      fc.property(recordedFrame, changes, (bytes, list) => {
        const input = bytes.slice();
        const source = frame.decode(bytes).publish?.header?.source?.key;
        const read = reader.decode(input).publish?.header?.source;
        input.set(changed(input, list).subarray(0, input.length));
        expect(read?.key).toBe(source);
      }),
      runs(300),
    );
  });
});

/** What a frame says behind one hop. */
function afterHop(before: Frame, ttl: number, mac: Uint8Array | undefined): Frame {
  const { publish } = before;
  const header = publish?.header;
  if (!header) return before;
  const hop = { ttl, receivedFrom: undefined, forwardTo: undefined, incomingConnection: undefined };
  return { ...before, publish: { ...publish, header: { ...header, ...hop, headerMac: mac } } };
}
