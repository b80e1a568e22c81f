import { describe, expect, it } from '@jest/globals';
import { HeaderMac } from '../../libs/slim-core/src/link/header-mac.js';
import { nodeCrypto } from '../../libs/slim-platform-node/src/node-crypto.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import type { SlimHeader } from '../../libs/slim-core/src/wire/header.js';
import { viewPublish } from '../../libs/slim-core/src/wire/publish-view.js';
import { frameVectors, fromHex, toHex } from '../support/vectors.js';

/** The recorded frames whose link key is known, with their headers. */
const vectors = frameVectors().flatMap(({ name, hex, link, header_mac_preimage: preimage }) => {
  const bytes = fromHex(hex);
  const { publish, subscribe, unsubscribe } = frame.decode(bytes);
  const header = (publish ?? subscribe ?? unsubscribe)?.header;
  return header && link ? [{ name, bytes, header, link, preimage }] : [];
});

const macOf = ({ link }: (typeof vectors)[number]): HeaderMac =>
  new HeaderMac(nodeCrypto, link.link_id, fromHex(link.mac_key));

describe('HeaderMac', () => {
  it('has frames of clients, of a node and of a hybrid link to check', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(24);
  });

  it.each(vectors)('computes the tag of $name', (vector) => {
    const { header } = vector;
    expect(toHex(macOf(vector).tag(header))).toBe(toHex(header.headerMac ?? new Uint8Array()));
    expect(macOf(vector).verify(header, header.headerMac)).toBe(true);
  });

  it.each(vectors.filter(({ preimage }) => preimage !== undefined))(
    'computes it over the recorded bytes of $name',
    (vector) => {
      expect(toHex(macOf(vector).preimage(vector.header))).toBe(vector.preimage);
    },
  );

  it.each(vectors.filter(({ bytes }) => bytes[0] === 0x1a))(
    'computes it from the header that a node reads of $name',
    (vector) => {
      const { header } = viewPublish(vector.bytes);
      expect(macOf(vector).verify(header, header.headerMac)).toBe(true);
    },
  );

  it.each([
    { field: 'ttl', change: { ttl: 6 } },
    { field: 'fanout', change: { fanout: 256 } },
    { field: 'identity', change: { identity: 'toc' } },
    { field: 'error', change: { error: undefined } },
    { field: 'recv_from', change: { receivedFrom: 7n } },
    { field: 'forward_to', change: { forwardTo: 0n } },
    { field: 'source', change: { source: undefined } },
    { field: 'destination', change: { destination: undefined } },
  ])('covers $field', ({ change }) => {
    const vector = vectors.find(({ name }) => name === 'node-04-publish-out');
    const header: SlimHeader | undefined = vector && { ...vector.header, ...change };
    expect(vector && header && macOf(vector).verify(header, vector.header.headerMac)).toBe(false);
  });

  it.each([
    { field: 'incoming_conn', change: { incomingConnection: 9n } },
    { field: 'version', change: { version: '9.9.9' } },
    { field: 'e2e_header_sig', change: { headerSignature: Uint8Array.of(1) } },
  ])('does not cover $field', ({ change }) => {
    const vector = vectors.find(({ name }) => name === 'node-04-publish-out');
    const header: SlimHeader | undefined = vector && { ...vector.header, ...change };
    expect(vector && header && macOf(vector).verify(header, vector.header.headerMac)).toBe(true);
  });

  it('is bound to the link id as well as to the key', () => {
    for (const { header, link } of vectors) {
      const elsewhere = new HeaderMac(nodeCrypto, `${link.link_id}x`, fromHex(link.mac_key));
      expect(elsewhere.verify(header, header.headerMac)).toBe(false);
    }
  });
});
