import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { MlsGroup, PendingMember } from '../mls/mls-group.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember, type MlsMember } from '../testing/mls-members.js';
import { turns } from '../testing/turns.js';
import { frame, type Frame } from '../wire/frame.js';
import { messageType, sessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { Composer } from './composer.js';
import { DataPath } from './data-path.js';
import { toIncoming, type Incoming } from './incoming.js';
import type { SessionContext } from './session-context.js';
import { defaultSessionPolicy } from './session-policy.js';

beforeAll(loadNameHash);

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const typeNames = new Map<number, string>(
  Object.entries(messageType).map(([name, type]) => [type, name]),
);

interface Options {
  readonly reliable?: boolean;
  readonly mls?: boolean;
  readonly isResumed?: boolean;
  /** Of Alice. */
  readonly maxRetries?: number;
}

/** One end: its path, what it sent that did not arrive yet, and what its session heard of. */
class End {
  readonly path: DataPath;
  readonly log: string[] = [];
  readonly sent: Frame[] = [];
  readonly name: WireName;
  readonly #member: MlsMember;
  isFull = false;
  isConnected = true;

  constructor(
    member: MlsMember,
    name: WireName,
    peer: WireName,
    group: MlsGroup | undefined,
    { reliable = true, isResumed, maxRetries = 2 }: Options,
  ) {
    const { context: mls, provider } = member;
    const { clock, crypto, verifier } = mls;
    const policy = { ...defaultSessionPolicy, intervalMs: 1_000, maxRetries };
    const isConnected = (): boolean => this.isConnected;
    const context: SessionContext = {
      clock,
      crypto,
      provider,
      verifier,
      mls,
      policy,
      composer: new Composer(provider, crypto),
      send: (message) => this.sent.push(message),
      toWireName: () => peer,
      subscribe: () => Promise.resolve(),
      unsubscribe: () => Promise.resolve(),
      get isConnected() {
        return isConnected();
      },
      isWritable: true,
      whenWritable: () => Promise.resolve(),
    };
    this.name = name;
    this.#member = member;
    this.path = new DataPath(
      context,
      {
        sessionType: sessionType.pointToPoint,
        sessionId: 1,
        source: name,
        destination: peer,
        fanout: 1,
        reliable,
        policy,
        isResumed,
      },
      {
        group: () => group,
        receivers: () => [peer.key],
        nameOf: () => peer,
        isFull: () => this.isFull,
        deliver: ({ payload }) => this.log.push(text(payload)),
        lost: (id) => this.log.push(`lost ${id}`),
        unresponsive: () => this.log.push('unresponsive'),
      },
    );
  }

  publish(payload: string): void {
    const content = {
      payloadType: 'msg',
      payload: new TextEncoder().encode(payload),
      metadata: new Map<string, string>(),
    };
    this.path.publish(content, undefined).then(
      () => this.log.push(`${payload} arrived`),
      (reason: SlimError) => this.log.push(`${payload}: ${reason.code}`),
    );
  }

  /** Takes a message off the wire, which the session has verified. */
  async receive(incoming: Incoming): Promise<void> {
    const identity = await this.#member.context.verifier.verify(incoming.header.identity);
    this.path.receive(incoming, identity);
  }
}

/** Alice and Bob in a session; what they send waits until it is carried over. */
async function setup(options: Options = {}) {
  // The MLS library looks at the clock of the machine.
  const clock = new ManualClock(Date.now());
  const [own, other] = await Promise.all(
    ['alice', 'bob'].map((name) => mlsMember(name, nodeCrypto, clock)),
  );
  if (!own || !other) throw new Error('two members');
  const [groups, names] = [
    options.mls ? await groupOf(own, other) : [],
    ['alice', 'bob'].map(fullName),
  ];
  const [a, b] = names;
  if (!a || !b) throw new Error('two names');
  const alice = new End(own, a, b, groups[0], options);
  const bob = new End(other, b, a, groups[1], { ...options, maxRetries: 2 });
  /** Carries over what an end sent, but for what is lost, and says what it was. */
  const carry = async (
    from: End,
    isLost: (incoming: Incoming) => boolean = () => false,
  ): Promise<string[]> => {
    await turns();
    const carried: string[] = [];
    for (const message of from.sent.splice(0)) {
      const incoming = toIncoming(frame.decode(frame.encode(message)));
      if (!incoming) throw new Error('not a publish');
      const { messageType: type, messageId } = incoming.session;
      carried.push(`${typeNames.get(type)} ${messageId}`);
      if (!isLost(incoming)) await (from === alice ? bob : alice).receive(incoming);
    }
    await turns();
    return carried;
  };
  return { clock, alice, bob, carry };
}

const fullName = (name: string, index: number): WireName =>
  wireNameOf(`org/ns/${name}`).withId(nameId(BigInt(index + 1)));

async function groupOf(own: MlsMember, other: MlsMember): Promise<MlsGroup[]> {
  const group = await MlsGroup.create(own.context, own.provider.token());
  const pending = await PendingMember.create(other.context, other.provider.token());
  const { welcome } = await group.add(pending.keyPackage);
  return [group, await pending.join(welcome)];
}

const everything = () => true;
const isMessage =
  (id: number) =>
  ({ session }: Incoming): boolean =>
    session.messageType === messageType.msg && session.messageId === id;

describe.each([{ mls: false }, { mls: true }])('a reliable data path with %o', ({ mls }) => {
  it('delivers and acknowledges', async () => {
    const { clock, alice, bob, carry } = await setup({ mls });
    alice.publish('hello');
    expect(await carry(alice)).toStrictEqual(['msg 1']);
    expect(bob.log).toStrictEqual(['hello']);
    expect(await carry(bob)).toStrictEqual(['msgAck 1']);
    expect(alice.log).toStrictEqual(['hello arrived']);
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('repeats what was lost, and delivers once when only the acknowledgement was', async () => {
    const { clock, alice, bob, carry } = await setup({ mls });
    alice.publish('hello');
    await carry(alice, everything);
    clock.advance(1_000);
    await carry(alice);
    await carry(bob, everything);
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual(['msg 1']);
    await carry(bob);
    expect(bob.log).toStrictEqual(['hello']);
    expect(alice.log).toStrictEqual(['hello arrived']);
  });

  it('asks for what is missing, and delivers in order', async () => {
    const { clock, alice, bob, carry } = await setup({ mls });
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    expect(bob.log).toStrictEqual(['one']);
    expect(await carry(bob)).toStrictEqual(['msgAck 1', 'msgAck 3', 'rtxRequest 2']);
    expect(await carry(alice)).toStrictEqual(['rtxReply 2']);
    expect(bob.log).toStrictEqual(['one', 'two', 'three']);
    expect(alice.log.toSorted()).toStrictEqual(['one arrived', 'three arrived']);
    expect(await carry(bob)).toStrictEqual(['msgAck 2']);
    expect(alice.log).toContain('two arrived');
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('takes a message that was asked for as delivered only when it has come', async () => {
    const { clock, alice, bob, carry } = await setup({ mls });
    const isReply = ({ session }: Incoming) => session.messageType === messageType.rtxReply;
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    await carry(bob);
    expect(await carry(alice, isReply)).toStrictEqual(['rtxReply 2']);
    expect(alice.log).not.toContain('two arrived');
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual(['msg 2']);
    expect(bob.log).toStrictEqual(['one', 'two', 'three']);
    await carry(bob);
    expect(alice.log).toContain('two arrived');
    await carry(alice);
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('repeats what went as a reply, which native receivers do not acknowledge', async () => {
    const { clock, alice, bob, carry } = await setup({ mls, maxRetries: 0 });
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    await carry(bob);
    expect(await carry(alice)).toStrictEqual(['rtxReply 2']);
    await carry(bob, everything);
    clock.advance(1_000);
    expect(await carry(alice)).toStrictEqual(['msg 2']);
    await carry(bob);
    expect(alice.log).toContain('two arrived');
  });

  it('is told that a message is no longer kept, and goes on without it', async () => {
    const { clock, alice, bob, carry } = await setup({ mls });
    const isRequest = ({ session }: Incoming) => session.messageType === messageType.rtxRequest;
    alice.publish('m1');
    await carry(alice);
    alice.publish('m2');
    for (let tried = 0; tried < 3; tried += 1) {
      await carry(alice, isMessage(2));
      clock.advance(1_000);
    }
    await turns();
    expect(alice.log).toContain('m2: not-delivered');
    for (let sent = 3; sent <= 520; sent += 1) {
      alice.publish(`m${sent}`);
      await carry(alice);
      await carry(bob, isRequest);
    }
    bob.log.splice(0);
    clock.advance(1_000);
    await carry(alice, everything);
    expect(await carry(bob)).toStrictEqual(['rtxRequest 2']);
    expect(await carry(alice)).toStrictEqual(['rtxReply 2']);
    expect(bob.log.slice(0, 2)).toStrictEqual(['lost 2', 'm3']);
  });
});

describe('a data path with MLS', () => {
  it('refuses a message whose headers are not those that were sealed', async () => {
    const { alice, bob } = await setup({ mls: true });
    alice.publish('hello');
    await turns();
    const [message] = alice.sent;
    const incoming = message && toIncoming(message);
    if (!incoming) throw new Error('nothing was sent');
    const { header, session } = incoming;
    const forged = [
      { ...incoming, session: { ...session, messageId: 7 } },
      { ...incoming, header: { ...header, destination: alice.name } },
    ];
    for (const changed of forged) {
      await expect(bob.receive(changed)).rejects.toMatchObject({ code: 'mls-failure' });
    }
    expect([bob.log, bob.sent]).toStrictEqual([[], []]);
  });

  it('encrypts anew what it repeats', async () => {
    const { clock, alice } = await setup({ mls: true });
    alice.publish('hello');
    await turns();
    clock.advance(1_000);
    const blobs = alice.sent.map(({ publish }) => text(publish?.content?.application?.blob));
    expect(new Set(blobs).size).toBe(2);
    expect(blobs.some((blob) => blob.includes('hello'))).toBe(false);
  });
});

describe('a message that came before', () => {
  it('is acknowledged once more, also when it is the same ciphertext or the reader is full', async () => {
    const { alice, bob, carry } = await setup({ mls: true });
    alice.publish('hello');
    await turns();
    alice.sent.push(...alice.sent);
    await carry(alice);
    expect(await carry(bob)).toStrictEqual(['msgAck 1', 'msgAck 1']);
    expect(bob.log).toStrictEqual(['hello']);
    bob.isFull = true;
    alice.publish('too much');
    await expect(carry(alice)).rejects.toMatchObject({ code: 'backpressure' });
  });

  it('is no news either when it comes because it was asked for', async () => {
    const { alice, bob, carry } = await setup({ mls: true });
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    await carry(bob);
    alice.sent.push(...alice.sent);
    expect(await carry(alice)).toStrictEqual(['rtxReply 2', 'rtxReply 2']);
    expect(bob.log).toStrictEqual(['one', 'two', 'three']);
  });
});

describe('a reader that is slow', () => {
  it('gets no acknowledgement sent, so the sender has to wait', async () => {
    const { clock, alice, bob, carry } = await setup();
    bob.isFull = true;
    alice.publish('hello');
    await expect(carry(alice)).rejects.toMatchObject({ code: 'backpressure' });
    expect(bob.sent).toStrictEqual([]);
    bob.isFull = false;
    clock.advance(1_000);
    await carry(alice);
    await carry(bob);
    expect([bob.log, alice.log]).toStrictEqual([['hello'], ['hello arrived']]);
  });
});

describe('a peer that does not answer', () => {
  it('is reported, and the message is not delivered', async () => {
    const { clock, alice } = await setup();
    alice.publish('hello');
    await turns();
    clock.advance(3_000);
    await turns();
    expect(alice.log).toStrictEqual(['unresponsive', 'hello: not-delivered']);
    expect(clock.pending).toBe(0);
  });

  it('is asked in vain for what is missing, which is then lost', async () => {
    const { clock, alice, bob, carry } = await setup();
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    clock.advance(3_000);
    expect(bob.log).toStrictEqual(['one', 'lost 2', 'three']);
    expect(clock.pending).toBe(0);
  });
});

describe('a message that the reader was told is lost', () => {
  it.each(['rtxReply 2', 'msg 2'])(
    'stays lost for its sender when it comes as %s',
    async (late) => {
      const { clock, alice, bob, carry } = await setup({ maxRetries: 9 });
      for (const payload of ['one', 'two', 'three']) alice.publish(payload);
      await carry(alice, isMessage(2));
      await carry(bob);
      const reply = alice.sent.splice(0);
      clock.advance(1_000);
      const repetition = alice.sent.splice(0);
      clock.advance(3_000);
      for (const { sent } of [alice, bob]) sent.splice(0);
      expect(bob.log).toStrictEqual(['one', 'lost 2', 'three']);
      alice.sent.push(...(late === 'msg 2' ? repetition : reply));
      expect(await carry(alice)).toStrictEqual([late]);
      expect(await carry(bob)).toStrictEqual([]);
      clock.advance(10_000);
      await turns();
      expect(alice.log).toContain('two: not-delivered');
    },
  );
});

describe('a reply that was not asked for', () => {
  /** A message of Alice as if it had been asked for. */
  async function unasked(alice: End): Promise<Incoming> {
    alice.publish('hello');
    await turns();
    const [message] = alice.sent;
    const incoming = message && toIncoming(message);
    if (!incoming) throw new Error('nothing was sent');
    return { ...incoming, session: { ...incoming.session, messageType: messageType.rtxReply } };
  }

  it.each([{ reliable: true }, { reliable: false }])('is refused with %o', async (options) => {
    const { alice, bob } = await setup(options);
    const refused = bob.receive(await unasked(alice));
    await expect(refused).rejects.toMatchObject({ code: 'malformed-frame' });
    expect([bob.log, bob.sent]).toStrictEqual([[], []]);
  });

  it('may have been asked for before a restart, and is taken like any message then', async () => {
    const { alice, bob, carry } = await setup({ isResumed: true });
    const reply = await unasked(alice);
    bob.isFull = true;
    await expect(bob.receive(reply)).rejects.toMatchObject({ code: 'backpressure' });
    bob.isFull = false;
    await bob.receive(reply);
    expect(bob.log).toStrictEqual(['hello']);
    expect(await carry(bob)).toStrictEqual(['msgAck 1']);
  });
});

describe('a link that is lost', () => {
  it('costs nothing that was asked for', async () => {
    const { clock, alice, bob, carry } = await setup({ maxRetries: 99 });
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    bob.sent.splice(0);
    bob.isConnected = false;
    clock.advance(30_000);
    expect([bob.log, bob.sent]).toStrictEqual([['one'], []]);
    bob.isConnected = true;
    clock.advance(1_000);
    expect(await carry(bob)).toStrictEqual(['rtxRequest 2']);
  });
});

describe('an unreliable data path', () => {
  it('is done once a message is sent, and neither acknowledges nor orders', async () => {
    const { clock, alice, bob, carry } = await setup({ reliable: false });
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    expect(await carry(alice, isMessage(2))).toStrictEqual(['msg 1', 'msg 2', 'msg 3']);
    expect(alice.log).toStrictEqual(['one arrived', 'two arrived', 'three arrived']);
    expect(bob.log).toStrictEqual(['one', 'three']);
    expect(bob.sent).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('close', () => {
  it('delivers what was acknowledged, though something before it never came', async () => {
    const { clock, alice, bob, carry } = await setup();
    for (const payload of ['one', 'two', 'three', 'four']) alice.publish(payload);
    await carry(alice, isMessage(2));
    await carry(bob);
    bob.path.close(new SlimError('peer-lost', 'alice fell silent'));
    expect(bob.log).toStrictEqual(['one', 'lost 2', 'three', 'four']);
    alice.path.close(new SlimError('session-closed', 'the session is closed'));
    await turns();
    expect(alice.log).toContain('three arrived');
    expect(clock.pending).toBe(0);
  });

  it('fails what is under way and what comes later, and leaves no timer', async () => {
    const { clock, alice, bob, carry } = await setup();
    for (const payload of ['one', 'two', 'three']) alice.publish(payload);
    await carry(alice, isMessage(2));
    const closed = new SlimError('session-closed', 'the session is closed');
    for (const { path } of [alice, bob]) path.close(closed);
    alice.publish('four');
    await turns();
    expect(new Set(alice.log)).toStrictEqual(
      new Set(['one', 'two', 'three', 'four'].map((payload) => `${payload}: session-closed`)),
    );
    expect(clock.pending).toBe(0);
  });
});
