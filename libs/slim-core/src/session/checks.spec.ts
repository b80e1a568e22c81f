import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { loadNameHash } from '../names/name-hash.js';
import { SlimName } from '../names/slim-name.js';
import { wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { frame, type Frame } from '../wire/frame.js';
import { messageType, sessionHeader, sessionType } from '../wire/session-header.js';
import { verifySender } from './checks.js';
import { Composer } from './composer.js';
import { toIncoming, type Incoming } from './incoming.js';

beforeAll(loadNameHash);

const rejected = expect.objectContaining({ code: 'identity-rejected' });

function setup() {
  const clock = new ManualClock();
  const source = sharedSecret({ secret: 'a secret of the tests of this file' });
  const identityOf = (name: string) =>
    source({ name: SlimName.parse(name), crypto: nodeCrypto, clock });
  const [alice, mallory] = [identityOf('org/ns/alice'), identityOf('org/ns/mallory')];
  const address = (type: number) => ({
    source: wireNameOf('org/ns/alice'),
    destination: wireNameOf('org/ns/bob'),
    session: sessionHeader.make({
      sessionType: sessionType.pointToPoint,
      messageType: type,
      sessionId: 1,
      messageId: 2,
    }),
  });
  const composer = new Composer(alice.provider, nodeCrypto);
  const control = composer.control(address(messageType.discoveryRequest), { discoveryRequest: {} });
  const data = composer.empty(address(messageType.msgAck));
  const verify = (incoming: Incoming) => verifySender(alice.verifier, nodeCrypto, incoming);
  return { clock, alice, mallory, control, data, verify };
}

/** As it comes off a link. */
function arrived(message: Frame): Incoming {
  const incoming = toIncoming(frame.decode(frame.encode(message)));
  if (!incoming) throw new Error('not a publish');
  return incoming;
}

describe('verifySender', () => {
  it('tells who sent a control message that is signed', () => {
    const { alice, control, verify } = setup();
    expect(verify(arrived(control))).toMatchObject({ subject: alice.provider.tokenId });
  });

  it('tells who sent a data message, which is not signed', () => {
    const { alice, data, verify } = setup();
    expect(data.publish?.header?.headerSignature).toBeUndefined();
    expect(verify(arrived(data))).toMatchObject({ subject: alice.provider.tokenId });
  });

  it('refuses a control message without its signature', () => {
    const { control, verify } = setup();
    const incoming = arrived(control);
    const header = { ...incoming.header, headerSignature: undefined };
    expect(() => verify({ ...incoming, header })).toThrow(rejected);
  });

  it('refuses a control message with the token of another application', () => {
    const { mallory, control, verify } = setup();
    const incoming = arrived(control);
    const header = { ...incoming.header, identity: mallory.provider.token() };
    expect(() => verify({ ...incoming, header })).toThrow(rejected);
  });

  it.each([
    { what: 'another session', change: { sessionId: 9 } },
    { what: 'another message', change: { messageId: 9 } },
    { what: 'another kind of message', change: { messageType: messageType.groupClose } },
  ])('refuses a signature that is of $what', ({ change }) => {
    const { control, verify } = setup();
    const incoming = arrived(control);
    const session = { ...incoming.session, ...change };
    expect(() => verify({ ...incoming, session })).toThrow(rejected);
  });

  it('refuses what is too old, control and data alike', () => {
    const { clock, control, data, verify } = setup();
    clock.advance(2 * 3_600_000);
    for (const message of [control, data]) expect(() => verify(arrived(message))).toThrow(rejected);
  });

  it('waits for a verifier that takes its time, and then checks the signature', async () => {
    const { alice, control } = setup();
    const slow = {
      verify: async (token: string) => alice.verifier.verify(token),
      verifyCredential: async (token: string) => alice.verifier.verifyCredential(token),
    };
    const incoming = arrived(control);
    const forged = { ...incoming, session: { ...incoming.session, messageId: 9 } };
    await expect(verifySender(slow, nodeCrypto, incoming)).resolves.toMatchObject({
      subject: alice.provider.tokenId,
    });
    await expect(verifySender(slow, nodeCrypto, forged)).rejects.toEqual(rejected);
  });
});

describe('toIncoming', () => {
  it.each([
    { what: 'no publish', change: { publish: undefined } },
    { what: 'no source', header: { source: undefined } },
    { what: 'no destination', header: { destination: undefined } },
    { what: 'no session header', publish: { session: undefined } },
  ])('knows nothing to do with $what', ({ change, header, publish }) => {
    const { control } = setup();
    const before = control.publish;
    const changed = before?.header && {
      ...before,
      ...publish,
      header: { ...before.header, ...header },
    };
    expect(toIncoming({ ...control, publish: changed, ...change })).toBeUndefined();
  });
});
