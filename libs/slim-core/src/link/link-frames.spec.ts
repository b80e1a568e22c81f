import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { wireNameOf } from '../testing/frames.js';
import { applicationPayload, frame, publish, type Frame } from '../wire/frame.js';
import { initialTtl, slimHeader, slimVersion, type SlimHeader } from '../wire/header.js';
import { sessionHeader } from '../wire/session-header.js';
import { HeaderMac } from './header-mac.js';
import { LinkFrames } from './link-frames.js';

beforeAll(loadNameHash);

const newMac = (): HeaderMac => new HeaderMac(nodeCrypto, 'link', new Uint8Array(32).fill(1));

function message(fields: Partial<SlimHeader>, metadata = new Map<string, string>()): Frame {
  const header = slimHeader.make({
    source: wireNameOf('acme/billing/a'),
    destination: wireNameOf('acme/billing/b'),
    identity: 'token',
    fanout: 1,
    ...fields,
  });
  const application = applicationPayload.make({ payloadType: 'msg', blob: Uint8Array.of(1, 2) });
  const content = { application, command: undefined };
  const session = sessionHeader.make({ messageType: 1, sessionId: 7, messageId: 8 });
  return frame.make({ publish: publish.make({ header, session, content }), metadata });
}

/** What the frame says when it is encoded and signed by its definitions. */
function signed(given: Frame, mac: HeaderMac): Uint8Array {
  const header = slimHeader.make({
    ...given.publish?.header,
    version: slimVersion,
    ttl: initialTtl,
  });
  const final = { ...header, headerMac: mac.tag(header) };
  return frame.encode({ ...given, publish: given.publish && { ...given.publish, header: final } });
}

describe('LinkFrames', () => {
  it.each<[string, () => Partial<SlimHeader>]>([
    ['one message', () => ({})],
    ['another destination', () => ({ destination: wireNameOf('acme/billing/c') })],
    ['another token', () => ({ identity: 'a later token' })],
    ['another fanout', () => ({ fanout: 256 })],
    ['an error', () => ({ error: true })],
    ['a signature', () => ({ headerSignature: new Uint8Array(64) })],
  ])('signs %s as it is, whatever went before', (_, fields) => {
    const frames = new LinkFrames(newMac());
    frames.encode(message({}));
    const given = message(fields());
    expect(frames.encode(given)).toStrictEqual(signed(given, newMac()));
    expect(frames.encode(given)).toStrictEqual(signed(given, newMac()));
  });

  it('writes metadata', () => {
    const given = message({}, new Map([['k', 'v']]));
    expect(new LinkFrames(newMac()).encode(given)).toStrictEqual(signed(given, newMac()));
  });

  it('refuses a wrong tag, also behind a good one', () => {
    const bytes = new LinkFrames(newMac()).encode(message({}));
    const receiver = new LinkFrames(newMac());
    expect(receiver.decode(bytes)).toStrictEqual(frame.decode(bytes));
    const tag = newMac().tag(slimHeader.make());
    const header = slimHeader.make({ ...message({}).publish?.header, headerMac: tag });
    const forged = frame.encode({ ...message({}), publish: publish.make({ header }) });
    const malformed = expect.objectContaining({ code: 'malformed-frame' });
    expect(() => receiver.decode(forged)).toThrow(malformed);
    expect(receiver.decode(bytes)).toStrictEqual(frame.decode(bytes));
  });
});
