import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash } from '../names/name-hash.js';
import { wireNameOf } from '../testing/frames.js';
import { toHex } from '../testing/hex.js';
import { headerIntegrityBytes } from './header-integrity.js';
import { sessionHeader } from './session-header.js';

beforeAll(loadNameHash);

describe('headerIntegrityBytes', () => {
  it('are the end-to-end fields of both headers in their order', () => {
    const source = wireNameOf('acme/billing/a');
    const destination = wireNameOf('acme/billing/b');
    const header = { source, destination, identity: 'token' };
    const session = { sessionType: 1, messageType: 2, sessionId: 3, messageId: 300 };
    const expected = [
      ...[0x08, 1], // version
      ...[0x12, source.bytes.length, ...source.bytes],
      ...[0x1a, destination.bytes.length, ...destination.bytes],
      ...[0x22, 5, ...new TextEncoder().encode('token')],
      ...[0x28, 1, 0x30, 2, 0x38, 3, 0x40, 0xac, 0x02],
      ...[0x4a, 3, ...new TextEncoder().encode('msg')],
    ];
    const bytes = headerIntegrityBytes(header, session, 'msg');
    expect(toHex(bytes)).toBe(toHex(new Uint8Array(expected)));
  });

  it('are those of this message, also when others had the same header', () => {
    const header = { source: wireNameOf('acme/billing/a'), destination: undefined, identity: '' };
    const bytesOf = (messageId: number): Uint8Array =>
      headerIntegrityBytes(header, sessionHeader.make({ messageId }), '');
    const first = bytesOf(1);
    const kept = first.slice();
    expect(bytesOf(2)).not.toStrictEqual(first);
    expect(first).toStrictEqual(kept);
    expect(bytesOf(1)).toStrictEqual(first);
  });
});
