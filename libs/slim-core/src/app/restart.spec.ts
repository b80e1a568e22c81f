import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Channel } from '../session/channel.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { wireNameOf } from '../testing/frames.js';
import { joined } from '../testing/joining.js';
import { LinkTap } from '../testing/link-tap.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MemoryDialler } from '../testing/memory-dialler.js';
import { MemoryStore } from '../testing/memory-store.js';
import { turns } from '../testing/turns.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { SlimApp, SlimAppOptions } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
let fabric = new Fabric(nodeCrypto, secret);
afterEach(async () => {
  await fabric.close();
  fabric = new Fabric(nodeCrypto, secret);
});

const quick: Partial<SlimAppOptions> = {
  sessions: { intervalMs: 50, maxRetries: 40, heartbeatMs: 200, closeMs: 500, reinviteMs: 0 },
};
/** Takes nobody for offline by itself. */
const trusting: Partial<SlimAppOptions> = {
  sessions: { ...quick.sessions, maxSilentIntervals: 1_000 },
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = ({ payload }: { payload: Uint8Array }): string => new TextDecoder().decode(payload);

/** An application that can be killed: nobody is told, and what it kept so far is all that is left. */
async function mortal(name: string, store = new MemoryStore(), options = trusting) {
  const dialler = new MemoryDialler(fabric.node);
  const app = await fabric.connect(name, { ...options, diallers: [dialler], store: store.source });
  return {
    app,
    store,
    kill(): MemoryStore {
      const left = store.copy();
      dialler.isDown = true;
      dialler.cut();
      return left;
    },
    /** Killed, and started again. */
    restart() {
      return mortal(name, this.kill(), options);
    },
  };
}

async function incoming(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) if (session.kind === 'session') return session;
  throw new Error('the application ended');
}

function only(app: SlimApp): Session {
  const [session, ...others] = app.restored;
  if (session?.kind === 'session' && others.length === 0) return session;
  throw new Error(`expected one session, got ${app.restored.map(({ kind }) => kind).join()}`);
}

function onlyChannel(app: SlimApp): Channel {
  const [channel, ...others] = app.restored;
  if (channel?.kind === 'channel' && others.length === 0) return channel;
  throw new Error(`expected one channel, got ${app.restored.map(({ kind }) => kind).join()}`);
}

async function until(condition: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 5_000; !condition();) {
    if (Date.now() > endMs) throw new Error(`not in time: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const next = async (session: Session | Channel): Promise<string> =>
  text(await session.next({ timeoutMs: 5_000 }));

async function exchange(a: Session, b: Session, what: string): Promise<void> {
  await Promise.all([a.publish(bytes(`${what} a`)), b.publish(bytes(`${what} b`))]);
  expect([await next(a), await next(b)]).toStrictEqual([`${what} b`, `${what} a`]);
}

async function expectTalk(channels: readonly Channel[], what: string): Promise<void> {
  for (const [at, from] of channels.entries()) {
    await from.publish(bytes(`${what} ${at}`));
    for (const to of channels) if (to !== from) expect(await next(to)).toBe(`${what} ${at}`);
  }
}

describe.each([{ mls: false }, { mls: true }])('a session of two with MLS $mls', ({ mls }) => {
  it.each(['the side that opened it', 'the side that was asked', 'both sides'])(
    'goes on when %s is killed and started again',
    async (who) => {
      let opener = await mortal('org/ns/opener');
      let asked = await mortal('org/ns/asked');
      const opened = opener.app.openSession('org/ns/asked', { mls, metadata: { topic: 'tea' } });
      let [near, far] = await Promise.all([opened, incoming(asked.app)]);
      await exchange(near, far, 'before');

      for (const round of ['first', 'second']) {
        if (who !== 'the side that was asked') {
          opener = await opener.restart();
          near = only(opener.app);
        }
        if (who !== 'the side that opened it') {
          asked = await asked.restart();
          far = only(asked.app);
        }
        await exchange(near, far, round);
      }

      expect(near).toMatchObject({ id: far.id, mls, reliable: true, metadata: { topic: 'tea' } });
      expect([near.peer, far.peer]).toStrictEqual([far.name, near.name]);
      expect(near.peerIdentity.subject).toContain('asked');
    },
  );

  it('never uses the number of a message twice, and leaves none out', async () => {
    let opener = await mortal('org/ns/opener');
    const asked = await fabric.connect('org/ns/asked', trusting);
    const [near, far] = await Promise.all([
      opener.app.openSession('org/ns/asked', { mls }),
      incoming(asked),
    ]);
    const lost: number[] = [];
    far.onLost((id) => lost.push(id));
    let session = near;
    const numbers: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      await session.publish(bytes('one'));
      numbers.push((await far.next()).messageId);
      opener = await opener.restart();
      session = only(opener.app);
    }
    expect(numbers).toStrictEqual([1, 2, 3, 4]);
    expect(lost).toStrictEqual([]);
  });

  it('gets what was sent while it was down', async () => {
    const opener = await fabric.connect('org/ns/opener', trusting);
    const asked = await mortal('org/ns/asked');
    const [near] = await Promise.all([
      opener.openSession('org/ns/asked', { mls }),
      incoming(asked.app),
    ]);
    const store = asked.kill();
    const published = ['one', 'two', 'three'].map((each) => near.publish(bytes(each)));
    const again = await mortal('org/ns/asked', store);
    await Promise.all(published);
    const far = only(again.app);
    expect([await next(far), await next(far), await next(far)]).toStrictEqual([
      'one',
      'two',
      'three',
    ]);
  });

  it('is left alone when its application closes, and forgotten when it is closed', async () => {
    const opener = await mortal('org/ns/opener');
    const asked = await fabric.connect('org/ns/asked', trusting);
    const [, far] = await Promise.all([
      opener.app.openSession('org/ns/asked', { mls }),
      incoming(asked),
    ]);
    await opener.app.close();
    const again = await mortal('org/ns/opener', opener.store);
    const near = only(again.app);
    await exchange(near, far, 'after');

    await Promise.all([near.close(), far.ended]);
    expect([...opener.store.records.keys()]).toStrictEqual([
      'header nestjs-slim',
      'identity application',
    ]);
    expect((await again.restart()).app.restored).toStrictEqual([]);
  });

  it('finds the channels that it moderates again, the newest first', async () => {
    const clock = new ManualClock();
    const moderator = await mortal('org/ns/moderator', new MemoryStore(), { clock });
    const create = async (topic: string): Promise<void> => {
      await moderator.app.createChannel('org/ns/room', { mls, metadata: { topic } });
      clock.advance(1);
    };
    for (const topic of ['oldest', 'older', 'newest']) await create(topic);
    const again = await moderator.restart();
    expect(again.app.restored.map(({ metadata }) => metadata.topic)).toStrictEqual([
      ...['newest', 'older', 'oldest'],
    ]);
  });

  it('sends nothing that it cannot keep', async () => {
    const opener = await mortal('org/ns/opener');
    const asked = await fabric.connect('org/ns/asked', trusting);
    const [near, far] = await Promise.all([
      opener.app.openSession('org/ns/asked', { mls }),
      incoming(asked),
    ]);
    opener.store.isFull = true;
    await expect(near.publish(bytes('lost'))).rejects.toMatchObject({ code: 'store-failed' });
    opener.store.isFull = false;
    await near.publish(bytes('kept'));
    expect(await far.next()).toMatchObject({ messageId: 1, payload: bytes('kept') });
  });
});

it('keeps the numbers of a session without order, many at a time', async () => {
  const opener = await mortal('org/ns/opener');
  const asked = await fabric.connect('org/ns/asked', trusting);
  const [near, far] = await Promise.all([
    opener.app.openSession('org/ns/asked', { reliable: false }),
    incoming(asked),
  ]);
  await near.publish(bytes('one'));
  const { writes } = opener.store;
  for (let count = 0; count < 20; count += 1) await near.publish(bytes('more'));
  expect(opener.store.writes).toBe(writes);
  for (let count = 0; count < 21; count += 1) await next(far);
  const again = only((await opener.restart()).app);
  await again.publish(bytes('after'));
  expect(await next(far)).toBe('after');
});

/** A channel whose first application moderates, each of them mortal. */
async function room(size: number, mls: boolean, options = trusting) {
  const apps = [await mortal('org/ns/app-0', new MemoryStore(), options)];
  const [first] = apps;
  if (!first) throw new Error('nobody moderates');
  const channels: Channel[] = [await first.app.createChannel('org/ns/room', { mls })];
  const [channel] = channels;
  for (let at = 1; at < size; at += 1) {
    const each = await mortal(`org/ns/app-${at}`);
    const [member] = await Promise.all([joined(each.app), channel?.invite(`org/ns/app-${at}`)]);
    apps.push(each);
    channels.push(member);
  }
  const restart = async (at: number): Promise<Channel> => {
    const before = apps[at];
    if (!before) throw new Error(`no application ${at}`);
    const again = await before.restart();
    apps[at] = again;
    return (channels[at] = onlyChannel(again.app));
  };
  return { apps, channels, restart };
}

const online = (channel: Channel): number =>
  channel.participants().filter((each) => each.online).length;

describe.each([{ mls: false }, { mls: true }])('a channel with MLS $mls', ({ mls }) => {
  it.each([
    { who: 'its moderator is', restarted: [0] },
    { who: 'a member is', restarted: [1] },
    { who: 'all are', restarted: [0, 1, 2] },
  ])('goes on when $who killed and started again', async ({ restarted }) => {
    const { channels, restart } = await room(3, mls);
    await expectTalk(channels, 'before');
    for (const at of restarted) await restart(at);
    await until(() => channels.every((each) => online(each) === 3));
    await expectTalk(channels, 'after');
    expect(channels.map(({ epoch }) => epoch)).toStrictEqual(Array(3).fill(mls ? 2n : 0n));
    expect(channels.map(({ isModerator }) => isModerator)).toStrictEqual([true, false, false]);
  });

  it('takes members in and out with a moderator that was started again', async () => {
    const { channels, restart } = await room(3, mls);
    const moderator = await restart(0);
    const late = await fabric.connect('org/ns/late', trusting);
    const [member] = await Promise.all([joined(late), moderator.invite('org/ns/late')]);
    await expectTalk([...channels, member], 'four');
    await moderator.remove('org/ns/app-1');
    const [, , stays] = channels;
    if (!stays) throw new Error('nobody stays');
    await expectTalk([moderator, stays, member], 'three');
    expect(online(moderator)).toBe(3);
  });

  it('takes out whom it was inviting, who can then be invited', async () => {
    const tap = new LinkTap();
    await fabric.close();
    fabric = new Fabric(nodeCrypto, secret, tap.wrap);
    const { channels, restart } = await room(2, mls);
    const late = await fabric.connect('org/ns/late', trusting);
    tap.loses = ({ type }) => type === messageType.groupAck;
    const invited = channels[0]?.invite('org/ns/late');
    const half = await joined(late);
    const moderator = await restart(0);
    tap.loses = () => false;
    expect(await half.ended).toMatchObject({ code: 'session-closed' });
    // It waits for an answer that cannot come, in what is left of the process that was killed.
    invited?.catch(() => undefined);
    const [member] = await Promise.all([joined(late), moderator.invite('org/ns/late')]);
    await expectTalk([moderator, ...channels.slice(1), member], 'in');
  });

  it('is over for a member that was removed while it was down', async () => {
    const { apps, channels, restart } = await room(3, mls);
    apps[1]?.kill();
    await channels[0]?.remove('org/ns/app-1');
    const back = await restart(1);
    expect(await back.ended).toMatchObject({ code: 'session-closed' });
    const store = apps[1]?.store;
    expect([...(store?.records.keys() ?? [])]).toHaveLength(2);
  });
});

describe.each([{ mls: false }, { mls: true }])(
  'a change with MLS $mls that cannot be kept',
  ({ mls }) => {
    const impatient = { sessions: { ...trusting.sessions, maxRetries: 3 } };

    it.each(['remove', 'invite'] as const)('is heard of by nobody: %s', async (change) => {
      const { apps, channels, restart } = await room(3, mls, impatient);
      const [moderator, ...members] = channels;
      const store = apps[0]?.store;
      if (!moderator || !store) throw new Error('nobody moderates');
      const guest = change === 'invite' ? 'org/ns/guest' : 'org/ns/app-1';
      if (change === 'invite') await fabric.connect(guest, trusting);
      const { epoch } = moderator;
      store.isFull = true;
      await expect(moderator[change](guest)).rejects.toMatchObject({ code: 'store-failed' });
      expect(await moderator.ended).toMatchObject({ code: 'store-failed' });
      expect(members.map((each) => each.epoch)).toStrictEqual([epoch, epoch]);

      const back = await restart(0);
      expect(back.epoch).toBe(epoch);
      await until(() => online(back) === 3);
      await expectTalk(channels, 'as before');
      await back.remove('org/ns/app-1');
      const [, , stays] = channels;
      if (!stays) throw new Error('nobody stays');
      await expectTalk([back, stays], 'after');
    });

    it('is made when there is room in time', async () => {
      const { apps, channels, restart } = await room(3, mls);
      const [moderator, , stays] = channels;
      const [first] = apps;
      if (!moderator || !first || !stays) throw new Error('too few');
      first.app.on('dropped', () => (first.store.isFull = false));
      first.store.isFull = true;
      await moderator.remove('org/ns/app-1');
      const back = await restart(0);
      await until(() => back.epoch === stays.epoch);
      expect(back.participants()).toHaveLength(2);
      await expectTalk([back, stays], 'two');
    });
  },
);

it('a member that is invited again goes on with its numbers, also after a restart', async () => {
  const { apps, channels } = await room(2, false);
  const [moderator, member] = channels;
  const [, app] = apps;
  if (!moderator || !member || !app) throw new Error('too few');
  for (const text of ['one', 'two']) await member.publish(bytes(text));
  await moderator.remove('org/ns/app-1');
  await member.ended;
  await Promise.all([joined(app.app), moderator.invite('org/ns/app-1')]);
  const again = await app.restart();
  await onlyChannel(again.app).publish(bytes('three'));
  const numbers: number[] = [];
  for (let count = 0; count < 3; count += 1) numbers.push((await moderator.next()).messageId);
  expect(numbers).toStrictEqual([1, 2, 3]);
});

describe('a start', () => {
  it('subscribes nothing of a channel that ends meanwhile', async () => {
    const { apps, channels } = await room(2, false);
    const left = apps[1]?.kill();
    const tap = new LinkTap();
    const isOfRoom = ({ prefix }: WireName): boolean => prefix === wireNameOf('org/ns/room').prefix;
    const idsOf = (verb: 'subscribe' | 'unsubscribe'): string[] =>
      tap.seen.flatMap(({ message, isSent }) => {
        const asked = message[verb];
        const name = asked?.header?.destination;
        return isSent && name && isOfRoom(name) ? [`${asked.id}`] : [];
      });
    tap.holds = ({ message }) => idsOf('subscribe').includes(`${message.subscriptionAck?.id}`);
    const dialler = new MemoryDialler(fabric.node);
    const starting = fabric.connect('org/ns/app-1', {
      ...trusting,
      diallers: [{ target: 'tapped', dial: async () => tap.wrap(await dialler.dial()) }],
      store: left?.source,
    });
    await until(() => idsOf('subscribe').length > 0);
    await channels[0]?.remove('org/ns/app-1');
    tap.release();
    const back = await starting;
    expect(await onlyChannel(back).ended).toMatchObject({ code: 'session-closed' });
    expect(idsOf('subscribe')).toStrictEqual(idsOf('unsubscribe'));
  });

  it('that fails leaves no timer, and everything as it was', async () => {
    // The others have the clock of the machine.
    const clock = new ManualClock(Date.now());
    const opener = await mortal('org/ns/opener', new MemoryStore(), { clock });
    for (const name of ['org/ns/a', 'org/ns/b']) {
      const app = await fabric.connect(name, trusting);
      await Promise.all([opener.app.openSession(name), incoming(app)]);
    }
    const left = opener.kill();
    const epochs = [...left.records.keys()].filter((place) => place.startsWith('epoch'));
    left.records.delete(epochs[1] ?? '');
    const places = [...left.records.keys()];
    const { pending } = clock;
    await expect(mortal('org/ns/opener', left, { clock })).rejects.toMatchObject({
      code: 'store-failed',
    });
    expect(clock.pending).toBe(pending);
    expect([...left.records.keys()]).toStrictEqual(places);
  });
});

it('a moderator that was down for long renews its credential once it is connected', async () => {
  const clock = new ManualClock();
  const moderator = await mortal('org/ns/moderator', new MemoryStore(), { clock });
  await moderator.app.createChannel('org/ns/room');
  const left = moderator.kill();
  clock.advance(90 * 60_000);
  const dialler = new MemoryDialler(fabric.node);
  const dial = async () => {
    clock.advance(1_000);
    await turns();
    return dialler.dial();
  };
  const diallers = [{ target: 'slow', dial }];
  const back = await fabric.connect('org/ns/moderator', { clock, diallers, store: left.source });
  const channel = onlyChannel(back);
  expect(channel.epoch).toBe(0n);
  clock.advance(1_000);
  await until(() => channel.epoch === 1n);
});

it('a moderator renews its credential in time, however often it is started', async () => {
  const clock = new ManualClock();
  let moderator = await mortal('org/ns/moderator', new MemoryStore(), { clock });
  await moderator.app.createChannel('org/ns/room');
  clock.advance(40 * 60_000);
  moderator = await moderator.restart();
  const channel = onlyChannel(moderator.app);
  clock.advance(9 * 60_000);
  expect(channel.epoch).toBe(0n);
  clock.advance(60_000);
  await until(() => channel.epoch === 1n);
  moderator = await moderator.restart();
  clock.advance(49 * 60_000);
  expect(onlyChannel(moderator.app).epoch).toBe(1n);
});

// Without keys nothing tells a member that it missed a change (reference: sessions 8.3).
it('brings a member up to date that missed changes while it was down', async () => {
  const { apps, channels, restart } = await room(4, true);
  const [moderator, away, gone, stays] = channels;
  if (!moderator || !away || !gone || !stays) throw new Error('too few');
  const left = apps[1]?.kill();
  await moderator.remove('org/ns/app-2');
  expect(left?.records.size).toBeGreaterThan(2);
  const back = await restart(1);
  await until(() => back.epoch === moderator.epoch && online(moderator) === 3);
  await expectTalk([moderator, back, stays], 'again');
});
