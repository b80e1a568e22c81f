import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Session, type SlimApp, type SlimError } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { memoryLinkPair } from '../../libs/slim-core/src/link/memory-link.js';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { Fabric } from '../../libs/slim-core/src/testing/fabric.js';
import {
  publishTo,
  subscribeTo,
  unsubscribeFrom,
  wireNameOf,
} from '../../libs/slim-core/src/testing/frames.js';
import { joined, readTexts } from '../../libs/slim-core/src/testing/joining.js';
import { LinkProbe } from '../../libs/slim-core/src/testing/link-probe.js';
import { LinkTap } from '../../libs/slim-core/src/testing/link-tap.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import { turns } from '../../libs/slim-core/src/testing/turns.js';
import { frame, type Frame, type Publish } from '../../libs/slim-core/src/wire/frame.js';
import {
  connectionType,
  linkNegotiation,
  type LinkNegotiation,
} from '../../libs/slim-core/src/wire/link-message.js';
import { messageType, sessionType } from '../../libs/slim-core/src/wire/session-header.js';
import { firstSession, texts } from '../support/sessions.js';
import { Liar } from './hostile-member.js';

const secret = 'a secret that only the tampered sessions share';
const foreignSecret = 'a secret that none of the tampered sessions knows';
const sessions = { intervalMs: 100, maxRetries: 20, reinviteMs: 0, closeMs: 200 };

let tap: LinkTap;
let fabric: Fabric;
/** A node without scruples, or whoever can write to one: its tags are good, whatever it writes. */
let wire: NodeClient;
let alice: SlimApp;
let bob: SlimApp;
let refusals: SlimError[];

beforeEach(async () => {
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
  [alice, bob] = [
    await fabric.connect('org/ns/alice', { sessions }),
    await fabric.connect('org/ns/bob', { sessions }),
  ];
  wire = await NodeClient.connect(fabric.node, nodeCrypto);
  refusals = [];
  bob.on('dropped', (reason) => refusals.push(reason));
});

afterEach(() => fabric.close());

async function pair(mls = true): Promise<readonly [Session, Session]> {
  return Promise.all([alice.openSession('org/ns/bob', { mls }), firstSession(bob)]);
}

/** The message with another content of its Publish, and no tag, which the link of `wire` puts on. */
function rewritten(message: Frame, change: (publish: Publish) => object): Frame {
  const { publish } = message;
  if (!publish?.header) throw new Error('no publish');
  const { header = publish.header, ...rest } = change(publish) as Partial<Publish>;
  return {
    ...message,
    publish: { ...publish, ...rest, header: { ...header, ttl: 8, headerMac: undefined } },
  };
}

/** Loses the first message of that type, and gives what it was. */
function intercept(type: number): Promise<Frame> {
  return new Promise((resolve) => {
    tap.loses = (tapped) => {
      if (!tapped.isSent || tapped.type !== type) return false;
      tap.loses = () => false;
      resolve(tapped.message);
      return true;
    };
  });
}

const sent = (type: number): Frame => {
  const found = tap.seen.find((tapped) => tapped.isSent && tapped.type === type);
  if (!found) throw new Error(`nobody sent ${type}`);
  return found.message;
};

/** Fields of the header; of a function where they hold names, which need a hash that is loaded later. */
const inHeader = (fields: object | (() => object)) => (publish: Publish) => ({
  header: { ...publish.header, ...(typeof fields === 'function' ? fields() : fields) },
});
const inSession = (fields: object) => (publish: Publish) => ({
  session: { ...publish.session, ...fields },
});
const inPayload = (change: (blob: Uint8Array) => object) => (publish: Publish) => {
  const application = publish.content?.application;
  if (!application) throw new Error('no payload');
  return {
    content: { command: undefined, application: { ...application, ...change(application.blob) } },
  };
};
const flipped = (blob: Uint8Array, at: number): Uint8Array =>
  blob.map((byte, index) => (index === (at + blob.length) % blob.length ? byte ^ 1 : byte));

describe('at the link', () => {
  it.each([
    { what: 'rejects tampered destination packets', change: { destination: 'bob' } },
    { what: 'a tampered source', change: { source: 'bob' } },
    { what: 'a tampered token', change: { identity: 'somebody else' } },
    { what: 'a tampered fan-out', change: { fanout: 256 } },
    { what: 'more hops than it had', change: { ttl: 9 } },
    { what: 'an error that nobody reported', change: { error: true } },
    { what: 'a tag that is too short', change: { headerMac: new Uint8Array(31) } },
    { what: 'no tag', change: { headerMac: new Uint8Array() } },
  ])('$what', async ({ change }) => {
    await pair(false);
    const original = sent(messageType.joinRequest);
    const forged = Object.entries(change).map(([key, value]) => [
      key,
      value === 'bob' ? wireNameOf('org/ns/bob') : value,
    ]);
    const { publish } = original;
    const header = { ...publish?.header, ...Object.fromEntries(forged) } as Publish['header'];
    const before = fabric.node.counters;
    // With the tag of the link that it was made for.
    await wire.send({ ...original, publish: publish && { ...publish, header } });
    const { dropped, forwarded } = fabric.node.counters;
    expect(dropped['header-mac']).toBe(before.dropped['header-mac'] + 1);
    expect(forwarded).toBe(before.forwarded);
  });

  it('a frame of another link, as it was, because its tag is bound to that link', async () => {
    await pair(false);
    const before = fabric.node.counters.dropped['header-mac'];
    await wire.send(sent(messageType.joinRequest));
    expect(fabric.node.counters.dropped['header-mac']).toBe(before + 1);
  });

  it.each([0, 1])('a message that has %d hops left', async (ttl) => {
    await pair(false);
    const original = rewritten(sent(messageType.joinRequest), () => ({}));
    const before = fabric.node.counters.dropped.ttl;
    const { publish } = original;
    await wire.send({
      ...original,
      publish: publish && { ...publish, header: publish.header && { ...publish.header, ttl } },
    });
    expect(fabric.node.counters.dropped.ttl).toBe(before + 1);
  });
});

describe('a subscription', () => {
  const named = () => wireNameOf('org/ns/named');
  const acks = (): unknown[] => wire.received().map(({ subscriptionAck }) => subscriptionAck);

  it('subscription acked, and refused with its reason', async () => {
    const name = named();
    await wire.send(subscribeTo(name, 1n), unsubscribeFrom(name, 2n), unsubscribeFrom(name, 3n));
    expect(acks()).toStrictEqual([
      { id: 1n, success: true, error: '' },
      { id: 2n, success: true, error: '' },
      { id: 3n, success: false, error: 'subscription not found' },
    ]);
  });

  it('with a tampered name is neither acked nor kept', async () => {
    const { subscriptions } = fabric.node.counters;
    await wire.send(subscribeTo(named(), 1n, { headerMac: new Uint8Array(32) }));
    expect(acks()).toStrictEqual([]);
    expect(fabric.node.counters.subscriptions).toBe(subscriptions);
  });
});

describe('negotiation refused', () => {
  /** What the node does to a link that begins with that message. */
  async function beginWith(first: Frame): Promise<LinkProbe> {
    const [near, far] = memoryLinkPair();
    fabric.node.accept(far);
    const probe = new LinkProbe(near);
    near.send(frame.encode(first));
    await turns();
    return probe;
  }
  /** The first frame of a good link, but for the given fields. */
  const request = (fields: Partial<LinkNegotiation>): Frame => {
    const { publicKey } = nodeCrypto.agreementKey();
    const good = { linkId: 'a link', slimVersion: '2.3.0', publicKey };
    return frame.make({ link: { negotiation: linkNegotiation.make({ ...good, ...fields }) } });
  };

  it.each([
    { what: 'empty link id', first: () => request({ linkId: '' }) },
    { what: 'publish without mac session', first: () => request({ publicKey: new Uint8Array() }) },
    { what: 'bad peer key', first: () => request({ publicKey: new Uint8Array(32) }) },
    { what: 'no negotiation at all', first: () => publishTo(wireNameOf('org/ns/bob')) },
  ])('$what', async ({ first }) => {
    const { connections } = fabric.node.counters;
    const { ends, frames } = await beginWith(first());
    expect(ends).toHaveLength(1);
    expect(frames).toHaveLength(0);
    expect(fabric.node.counters.connections).toBe(connections);
  });

  it('mismatched link id', async () => {
    const asked = new NegotiationRequest(nodeCrypto, 'one link', 'client', connectionType.edge);
    const { frames } = await beginWith(request({ linkId: 'another link' }));
    const [reply = new Uint8Array()] = frames;
    expect(() => asked.complete(reply)).toThrow(
      expect.objectContaining({ code: 'negotiation-failed' }),
    );
  });
});

describe('a message of a session with MLS that was changed on its way', () => {
  const mls = { code: 'mls-failure' };
  const identity = { code: 'identity-rejected' };
  const malformed = { code: 'malformed-frame' };
  it.each<[string, (publish: Publish) => object, { readonly code: string } | undefined]>([
    ['another source', inHeader(() => ({ source: wireNameOf('org/ns/eve') })), identity],
    ['no token', inHeader({ identity: '' }), identity],
    ['another number', inSession({ messageId: 2 }), mls],
    ['a reply nobody asked for', inSession({ messageType: messageType.rtxReply }), malformed],
    ['another type of session', inSession({ sessionType: sessionType.multicast }), mls],
    ['another session', inSession({ sessionId: 1 }), undefined],
    ['another type of payload', inPayload(() => ({ payloadType: 'order' })), mls],
    ['one bit of the ciphertext', inPayload((blob) => ({ blob: flipped(blob, -1) })), mls],
    ['one bit of the sender', inPayload((blob) => ({ blob: flipped(blob, 60) })), mls],
    ['half of it', inPayload((blob) => ({ blob: blob.subarray(0, blob.length / 2) })), mls],
    ['nothing of it', inPayload(() => ({ blob: new Uint8Array() })), mls],
    ['plaintext', inPayload(() => ({ blob: Buffer.from('trust me') })), mls],
    ['no content', () => ({ content: undefined }), malformed],
  ])('header integrity 100 percent always fails on tampered: %s', async (_, change, expected) => {
    const [near, far] = await pair();
    const caught = intercept(messageType.msg);
    const published = near.publish(Buffer.from('as it was sent'));
    await wire.send(rewritten(await caught, change));
    // The repetition of the sender comes, and once.
    await published;
    await near.publish(Buffer.from('next'));
    expect((await texts(far, 2)).map(({ text }) => text)).toStrictEqual(['as it was sent', 'next']);
    expect(refusals).toMatchObject(expected ? [expected] : []);
  });

  it('that was recorded comes to nothing when it is sent again', async () => {
    const [near, far] = await pair();
    await near.publish(Buffer.from('pay 100'));
    await wire.send(rewritten(sent(messageType.msg), () => ({})));
    await wire.send(rewritten(sent(messageType.msg), inSession({ messageId: 2 })));
    await near.publish(Buffer.from('next'));
    expect((await texts(far, 2)).map(({ text }) => text)).toStrictEqual(['pay 100', 'next']);
    expect(refusals).toMatchObject([{ code: 'mls-failure' }]);
  });

  it('and come in another order are read in their own', async () => {
    const [near, far] = await pair();
    await near.publish(Buffer.from('0'));
    const held: Frame[] = [];
    tap.loses = (tapped) => {
      if (!tapped.isSent || tapped.type !== messageType.msg || held.length === 3) return false;
      held.push(tapped.message);
      return true;
    };
    const published = Promise.all(['1', '2', '3'].map((text) => near.publish(Buffer.from(text))));
    while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const message of held.toReversed()) await wire.send(rewritten(message, () => ({})));
    expect((await texts(far, 4)).map(({ text }) => text)).toStrictEqual(['0', '1', '2', '3']);
    await published;
    expect(refusals).toStrictEqual([]);
  });
});

describe('a control message', () => {
  it.each([
    ['handle discovery request without e2e sig is dropped', { headerSignature: undefined }],
    ['a discovery request with a wrong signature', { headerSignature: new Uint8Array(70).fill(1) }],
    ['a discovery request with an empty signature', { headerSignature: new Uint8Array() }],
    ['a discovery request without token', { identity: '' }],
  ])('%s', async (_, fields) => {
    await alice.discover('org/ns/bob');
    await wire.send(rewritten(sent(messageType.discoveryRequest), inHeader(fields)));
    expect(refusals).toMatchObject([{ code: 'identity-rejected' }]);
    expect((await alice.discover('org/ns/bob')).service).toBe('org/ns/bob');
  });

  it('signature mismatch stolen token wrong private key', async () => {
    const [near, far] = await pair();
    const thief = Liar.create('org/ns/thief', secret, foreignSecret);
    const { header, session } = sent(messageType.groupWelcome).publish ?? {};
    if (!header?.source || !header.destination || !session) throw new Error('no welcome');
    const lie = thief.tell({
      source: header.source,
      destination: header.destination,
      session: { ...session, messageType: messageType.groupClose, messageId: 9 },
      ...{ command: { groupClose: { participants: [] } }, blob: new Uint8Array() },
      ...{ metadata: new Map(), proof: 'own' as const, isError: false },
    });
    await wire.send(rewritten(lie, inHeader({ identity: header.identity })));
    expect(refusals).toMatchObject([{ code: 'identity-rejected' }]);
    await near.publish(Buffer.from('still here'));
    expect(await texts(far, 1)).toHaveLength(1);
  });

  it.each([
    'groupClose',
    'leaveRequest',
    'groupWelcome',
    'heartbeat',
    'groupUpdate',
    'msg',
  ] as const)('pre session unknown message is dropped: %s', async (type) => {
    const stranger = Liar.create('org/ns/stranger', secret, foreignSecret);
    await alice.discover('org/ns/bob');
    const { source: destination } = sent(messageType.discoveryReply).publish?.header ?? {};
    if (!destination) throw new Error('no answer');
    const answers = tap.seen.length;
    await wire.send(
      stranger.tell({
        source: stranger.name,
        destination,
        session: { sessionType: 1, messageType: messageType[type], sessionId: 5, messageId: 6 },
        ...{ command: undefined, blob: new Uint8Array(3), metadata: new Map() },
        ...{ proof: 'own', isError: false },
      }),
    );
    expect(tap.seen.slice(answers).filter(({ isSent }) => isSent)).toStrictEqual([]);
    expect(refusals).toStrictEqual([]);
  });
});

describe('a session that is over', () => {
  it.each([true, false])(
    'is not opened again by what was recorded of it; with MLS: %p',
    async (mls) => {
      const [near, far] = await pair(mls);
      await near.publish(Buffer.from('pay 100'));
      await texts(far, 1);
      await near.close();
      await far.ended;
      const opened: Session[] = [];
      const watching = (async () => {
        for await (const session of bob.sessions())
          if (session.kind === 'session') opened.push(session);
      })();
      const before = tap.seen.length;
      for (const { message } of tap.seen.filter(
        ({ isSent, linkIndex }) => isSent && linkIndex === 0,
      )) {
        if (message.publish) await wire.send(rewritten(message, () => ({})));
      }
      await bob.discover('org/ns/alice');
      const answers = tap.seen.slice(before).map(({ type }) => type);
      expect(answers).not.toContain(messageType.joinReply);
      await bob.close();
      await watching;
      expect(opened).toStrictEqual([]);
    },
  );
});

describe('a channel', () => {
  async function room() {
    const carol = await fabric.connect('org/ns/carol', { sessions });
    const channel = await alice.createChannel('org/ns/room');
    const [member] = await Promise.all([joined(bob), channel.invite('org/ns/bob')]);
    const [other] = await Promise.all([joined(carol), channel.invite('org/ns/carol')]);
    return { channel, member, other };
  }

  it('process control message drops already processed commit', async () => {
    const { channel, member } = await room();
    const before = [member.epoch, member.participants().length];
    await wire.send(rewritten(sent(messageType.groupUpdate), () => ({})));
    await wire.send(rewritten(sent(messageType.groupUpdate), () => ({})));
    expect([member.epoch, member.participants().length]).toStrictEqual(before);
    await channel.publish(Buffer.from('still here'));
    expect(await readTexts(member, 1, 2_000)).toStrictEqual(['still here']);
    expect(refusals).toStrictEqual([]);
  });

  it('process control message drops before welcome', async () => {
    const channel = await alice.createChannel('org/ns/room');
    const caught = intercept(messageType.groupWelcome);
    const inviting = Promise.all([joined(bob), channel.invite('org/ns/bob')]);
    const welcome = await caught;
    const update = { op: 0, participant: undefined, participants: [], mls: undefined };
    const early = Liar.create('org/ns/early', secret, foreignSecret);
    const { header, session } = welcome.publish ?? {};
    if (!header?.source || !header.destination || !session) throw new Error('no welcome');
    await wire.send(
      early.tell({
        ...{ source: header.source, destination: header.destination },
        session: { ...session, messageType: messageType.groupUpdate, messageId: 7 },
        ...{ command: { groupUpdate: update }, blob: new Uint8Array(), metadata: new Map() },
        ...{ proof: 'own', isError: false },
      }),
    );
    expect(refusals).toMatchObject([{ code: 'identity-rejected' }]);
    const [member] = await inviting;
    expect(member.participants()).toHaveLength(2);
  });

  it('is not changed by a member that is not its moderator', async () => {
    const { channel, member, other } = await room();
    const carol = sent(messageType.joinReply).publish?.header;
    expect(carol).toBeDefined();
    await expect(other.invite('org/ns/eve')).rejects.toMatchObject({ code: 'not-moderator' });
    await wire.send(
      rewritten(
        sent(messageType.groupUpdate),
        inHeader({ source: wireNameOf(other.self.toString()) }),
      ),
    );
    expect(refusals).toMatchObject([{ code: 'identity-rejected' }]);
    expect(member.participants()).toHaveLength(3);
    expect(channel.participants()).toHaveLength(3);
  });

  it('update participant state online epoch mismatch sends nack', async () => {
    const { channel, other, member } = await room();
    await other.goOffline();
    await channel.remove('org/ns/bob');
    await member.ended;
    await other.comeBack();
    expect(tap.seen.some(({ type }) => type === messageType.groupNack)).toBe(true);
    expect(other.epoch).toBe(channel.epoch);
  });
});
