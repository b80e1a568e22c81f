import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { ChannelSession } from '../session/channel-session.js';
import type { Channel } from '../session/channel.js';
import { Fabric } from '../testing/fabric.js';
import { joined, readTexts } from '../testing/joining.js';
import { LinkTap, type Tapped } from '../testing/link-tap.js';
import { ManualClock } from '../testing/manual-clock.js';
import { seededRandom } from '../testing/seeded-random.js';
import { fanout } from '../wire/header.js';
import { messageType, sessionType } from '../wire/session-header.js';
import type { SlimApp, SlimAppOptions } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const otherSecret = 'a secret that nobody else in this file knows';

let tap = new LinkTap();
let fabric = new Fabric(nodeCrypto, secret, tap.wrap);
afterEach(async () => {
  tap.loses = () => false;
  tap.release();
  await fabric.close();
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
});

const quick: Partial<SlimAppOptions> = {
  sessions: { intervalMs: 50, maxRetries: 20, heartbeatMs: 200, closeMs: 500, reinviteMs: 0 },
};
/** Takes nobody for offline by itself. */
const trusting: Partial<SlimAppOptions> = {
  sessions: { ...quick.sessions, maxSilentIntervals: 1_000 },
};
/** Gives up soon, too. */
const impatient: Partial<SlimAppOptions> = {
  sessions: { ...quick.sessions, maxRetries: 3, maxSilentIntervals: 1_000 },
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const read = (channel: Channel, count: number): Promise<string[]> =>
  readTexts(channel, count, 5_000);

/** A channel with members, whose links are 1, 2, … in the order they are given. */
async function room(size: number, options: Partial<SlimAppOptions> = quick) {
  const moderator = await fabric.connect('org/ns/moderator', options);
  const channel = await moderator.createChannel('org/ns/room', { discoveryMs: 500 });
  const members: { name: string; app: SlimApp; channel: Channel }[] = [];
  for (let index = 0; index < size; index += 1) {
    const name = `org/ns/member-${index}`;
    const app = await fabric.connect(name, options);
    const [member] = await Promise.all([joined(app), channel.invite(name)]);
    members.push({ name, app, channel: member });
  }
  const at = (index: number) => {
    const member = members[index];
    if (!member) throw new Error(`no member ${index}`);
    return member;
  };
  return { moderator, channel, at };
}

async function until(condition: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 5_000; !condition();) {
    if (Date.now() > endMs) throw new Error(`not in time: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const isFor =
  (index: number) =>
  ({ linkIndex, isSent }: Tapped): boolean =>
    linkIndex === index && !isSent;
const isOf =
  (index: number) =>
  ({ linkIndex, isSent }: Tapped): boolean =>
    linkIndex === index && isSent;

/** Loses the first message of a type that an application sends. */
function loseFirst(type: number): void {
  let isLost = false;
  tap.loses = (tapped) => {
    if (isLost || !tapped.isSent || tapped.type !== type) return false;
    isLost = true;
    return true;
  };
}

function internal(channel: Channel): ChannelSession {
  if (channel instanceof ChannelSession) return channel;
  throw new Error('not our channel');
}

/** The encrypted payloads that an application sent. */
const sealedBy = (index: number): Uint8Array[] =>
  tap.seen.flatMap((tapped) => {
    const blob = tapped.message.publish?.content?.application?.blob;
    return isOf(index)(tapped) && tapped.type === messageType.msg && blob ? [blob] : [];
  });

describe('a channel on a network that loses control messages', () => {
  it.each(['joinRequest', 'joinReply', 'groupWelcome', 'groupUpdate', 'groupAck'] as const)(
    'takes a member in when the first %s is lost',
    async (type) => {
      const { channel, at } = await room(1);
      const app = await fabric.connect('org/ns/late', quick);
      loseFirst(messageType[type]);
      const [late] = await Promise.all([joined(app), channel.invite('org/ns/late')]);
      await late.publish(bytes('in'));
      expect(await read(at(0).channel, 1)).toStrictEqual(['in']);
    },
  );

  it.each(['groupUpdate', 'groupAck', 'leaveRequest', 'leaveReply'] as const)(
    'takes a member out when the first %s is lost',
    async (type) => {
      const { channel, at } = await room(2);
      loseFirst(messageType[type]);
      await channel.remove(at(0).name);
      expect(await at(0).channel.ended).toMatchObject({ code: 'session-closed' });
      await until(() => at(1).channel.epoch === channel.epoch);
      expect(at(1).channel.participants()).toHaveLength(2);
    },
  );

  it.each(['rejoinRequest', 'rejoinReply', 'groupAck', 'groupNack'] as const)(
    'takes a member back when the first %s is lost',
    async (type) => {
      const { channel, at } = await room(2);
      await at(0).channel.goOffline();
      await channel.remove(at(1).name);
      loseFirst(messageType[type]);
      await at(0).channel.comeBack();
      await channel.publish(bytes('back'));
      expect(await read(at(0).channel, 1)).toStrictEqual(['back']);
      expect(at(0).channel.epoch).toBe(channel.epoch);
      // Nothing is left over that would hold up the next change.
      const app = await fabric.connect('org/ns/late', quick);
      await Promise.all([joined(app), channel.invite('org/ns/late')]);
    },
  );

  it('gives a member that missed a commit new keys when it hears of a later one', async () => {
    const { channel, at } = await room(2, impatient);
    tap.loses = (tapped) => isFor(2)(tapped) && tapped.type === messageType.groupUpdate;
    const apps = await Promise.all(
      ['org/ns/a', 'org/ns/b'].map((name) => fabric.connect(name, impatient)),
    );
    for (const app of apps) await Promise.all([joined(app), channel.invite(app.name.service)]);
    tap.loses = () => false;
    await until(() => at(1).channel.epoch === channel.epoch);
    await until(() => at(1).channel.participants().length === 5);
    await at(1).channel.publish(bytes('caught up'));
    expect(await read(at(0).channel, 1)).toStrictEqual(['caught up']);
  });

  it('keeps a message of the next epoch until the commit comes, which may come twice', async () => {
    // No heartbeat that tells of the commit before it comes.
    const options = { sessions: { ...quick.sessions, heartbeatMs: 60_000 } };
    const { channel, at } = await room(2, options);
    tap.holds = (tapped) => isFor(2)(tapped) && tapped.type === messageType.groupUpdate;
    const app = await fabric.connect('org/ns/late', quick);
    const inviting = Promise.all([joined(app), channel.invite('org/ns/late')]);
    await until(() => channel.epoch === 3n);
    const published = channel.publish(bytes('of the next epoch'));
    expect(await read(at(0).channel, 1)).toStrictEqual(['of the next epoch']);
    await at(1).channel.publish(bytes('of the last epoch'));
    expect(await read(channel, 1)).toStrictEqual(['of the last epoch']);
    expect(at(1).channel.epoch).toBe(2n);
    await until(() => tap.seen.filter(({ type }) => type === messageType.groupUpdate).length > 6);
    tap.release();
    await Promise.all([inviting, published]);
    expect(await read(at(1).channel, 1)).toStrictEqual(['of the next epoch']);
    expect(at(1).channel.epoch).toBe(3n);
    expect(at(1).channel.participants()).toHaveLength(4);
  });
});

describe('a channel whose members come and go', () => {
  it('invites one after the other, however many are asked at once', async () => {
    const { channel, at } = await room(1);
    const names = ['org/ns/a', 'org/ns/b', 'org/ns/c'];
    const apps = await Promise.all(names.map((name) => fabric.connect(name, quick)));
    const [, ...members] = await Promise.all([
      Promise.all(names.map((name) => channel.invite(name))),
      ...apps.map(joined),
    ]);
    for (const member of members) {
      await until(() => member.epoch === 4n && member.participants().length === 5);
    }
    await channel.publish(bytes('all'));
    for (const member of [at(0).channel, ...members]) {
      expect(await read(member, 1)).toStrictEqual(['all']);
    }
  });

  it('settles a publish when the last member that has not acknowledged is removed', async () => {
    const { channel, at } = await room(2);
    tap.loses = isOf(2);
    const published = channel.publish(bytes('to whoever listens'));
    await Promise.all([published, channel.remove(at(1).name)]);
    expect(channel.participants()).toHaveLength(2);
  });

  it('brings a new member everything that is published from then on, whatever gets lost', async () => {
    const { channel } = await room(1);
    const app = await fabric.connect('org/ns/late', quick);
    const [late] = await Promise.all([joined(app), channel.invite('org/ns/late')]);
    let isLost = false;
    tap.loses = (tapped) => {
      if (isLost || !isFor(2)(tapped) || tapped.type !== messageType.msg) return false;
      isLost = true;
      return true;
    };
    await Promise.all(['one', 'two', 'three'].map((text) => channel.publish(bytes(text))));
    expect(await read(late, 3)).toStrictEqual(['one', 'two', 'three']);
  });

  it('takes a member for offline also when it says so again', async () => {
    const { channel, at } = await room(2);
    tap.loses = (tapped) => isOf(2)(tapped) && tapped.type === messageType.groupAck;
    const states = (): Tapped[] =>
      tap.seen.filter((one) => isFor(0)(one) && one.type === messageType.updateParticipantState);
    const going = at(0).channel.goOffline();
    await until(() => states().length >= 3);
    tap.loses = () => false;
    await going;
    const online = channel.participants().filter((one) => one.online);
    expect(online.map(({ name }) => name.service)).not.toContain(at(0).name);
  });

  it('tells a member that was removed while it was offline, and takes it back', async () => {
    const { channel, at } = await room(1, trusting);
    await at(0).channel.goOffline();
    await channel.remove(at(0).name);
    await expect(at(0).channel.comeBack()).rejects.toMatchObject({ code: 'session-closed' });
    const [again] = await Promise.all([joined(at(0).app), channel.invite(at(0).name)]);
    await again.publish(bytes('back'));
    expect(await read(channel, 1)).toStrictEqual(['back']);
  });

  it('takes a member back that never heard of its removal', async () => {
    const { channel, at } = await room(2, impatient);
    tap.loses = isFor(1);
    await channel.remove(at(0).name);
    tap.loses = () => false;
    const [again] = await Promise.all([joined(at(0).app), channel.invite(at(0).name)]);
    expect(await at(0).channel.ended).toMatchObject({ code: 'session-closed' });
    await again.publish(bytes('back'));
    expect(await read(at(1).channel, 1)).toStrictEqual(['back']);
    expect(await read(channel, 1)).toStrictEqual(['back']);
  });

  it('goes on at once when a member leaves in the middle of a change', async () => {
    const { channel, at } = await room(3);
    tap.loses = (tapped) => isOf(1)(tapped) && tapped.type === messageType.groupAck;
    const removed = channel.remove(at(1).name);
    await at(0).channel.close();
    await removed;
    expect(channel.participants().length).toBeLessThan(4);
    await until(() => channel.participants().length === 2);
    await until(() => at(2).channel.epoch === channel.epoch);
  });

  it('hears of a member that leaves though somebody acknowledges nothing', async () => {
    const { channel, at } = await room(2);
    tap.loses = (tapped) => isOf(2)(tapped) && tapped.type === messageType.msgAck;
    const published = at(0).channel.publish(bytes('to all'));
    await Promise.all([
      expect(published).rejects.toMatchObject({ code: 'session-closed' }),
      at(0).channel.close(),
    ]);
    await until(() => channel.participants().length === 2);
  });

  it('tells the moderator of a wrong secret, or of a member that vanishes, and goes on', async () => {
    const { channel, at } = await room(1, impatient);
    await fabric.connect('org/ns/stranger', {
      ...quick,
      identity: sharedSecret({ secret: otherSecret }),
    });
    await expect(channel.invite('org/ns/stranger')).rejects.toMatchObject({ code: 'no-route' });
    await fabric.connect('org/ns/vanishing', impatient);
    tap.loses = (tapped) => isFor(3)(tapped) && tapped.type === messageType.groupWelcome;
    await expect(channel.invite('org/ns/vanishing')).rejects.toMatchObject({ code: 'timeout' });
    await channel.publish(bytes('on we go'));
    expect(await read(at(0).channel, 1)).toStrictEqual(['on we go']);
    await until(() => at(0).channel.epoch === channel.epoch);
    expect(at(0).channel.participants()).toHaveLength(2);
  });

  it('takes new members when the credentials of the others are older than an hour', async () => {
    // It ends where the machine is, whose clock the MLS library looks at.
    const clock = new ManualClock(Date.now() - 2 * 3_600_000);
    const aged = { ...quick, clock, sessions: { heartbeatMs: 86_400_000, reinviteMs: 0 } };
    const { channel, at } = await room(2, aged);
    clock.advance(2 * 3_600_000);
    const app = await fabric.connect('org/ns/late', aged);
    const [late] = await Promise.all([joined(app), channel.invite('org/ns/late')]);
    await channel.remove(at(0).name);
    await late.publish(bytes('in'));
    expect(await read(at(1).channel, 1)).toStrictEqual(['in']);
    // Two of its own key were made meanwhile, so that native members stay able to follow.
    expect(channel.epoch).toBe(6n);
  });
});

describe('the ciphertext of a channel', () => {
  it('cannot be opened by a member that was removed before', async () => {
    const { channel, at } = await room(2);
    const gone = internal(at(0).channel).group;
    await channel.remove(at(0).name);
    tap.seen.length = 0;
    await channel.publish(bytes('without you'));
    expect(await read(at(1).channel, 1)).toStrictEqual(['without you']);
    const [sealed] = sealedBy(0);
    if (!gone || !sealed) throw new Error('nothing to try');
    expect(() => gone.open(sealed)).toThrow('no keys for epoch 3, now 2');
  });

  it('cannot be opened by a member that came later, nor is it sent to one again', async () => {
    const { channel, at } = await room(1);
    await channel.publish(bytes('before you'));
    const [sealed] = sealedBy(0);
    const app = await fabric.connect('org/ns/late', quick);
    const [late] = await Promise.all([joined(app), channel.invite('org/ns/late')]);
    const { group, context, setup } = internal(late);
    if (!group || !sealed) throw new Error('nothing to try');
    expect(() => group.open(sealed)).toThrow('no keys for epoch 1, now 2');

    tap.seen.length = 0;
    context.send(
      context.composer.empty({
        source: setup.source,
        destination: setup.moderator,
        session: {
          sessionType: sessionType.multicast,
          messageType: messageType.rtxRequest,
          sessionId: setup.id,
          messageId: 1,
        },
        fanout: fanout.one,
      }),
    );
    const replies = (): Tapped[] => tap.seen.filter(({ type }) => type === messageType.rtxReply);
    await until(() => replies().length > 0);
    expect(replies()[0]?.message.publish?.header?.error).toBe(true);
    expect(await read(at(0).channel, 1)).toStrictEqual(['before you']);
  });
});

describe('a channel of twelve', () => {
  const changes = Number(process.env['CHURN_CHANGES'] ?? 80);

  it(`goes through ${changes} random joins and removals without one failure`, async () => {
    const random = seededRandom(1);
    const seen: string[] = [];
    const options = { ...quick, sessions: { intervalMs: 5_000, reinviteMs: 0 } };
    const { channel } = await room(0, options);
    const outside: SlimApp[] = [];
    const inside: { app: SlimApp; channel: Channel }[] = [];
    for (let index = 0; index < 11; index += 1) {
      const app = await fabric.connect(`org/ns/member-${index}`, options);
      app.on('dropped', ({ message }) => seen.push(message));
      outside.push(app);
    }
    const take = <Item>(items: Item[]): Item | undefined =>
      items.splice(Math.floor(random() * items.length), 1)[0];
    for (let change = 0; change < changes; change += 1) {
      const isJoin = inside.length === 0 || (outside.length > 0 && random() < 0.6);
      if (isJoin) {
        const app = take(outside);
        if (!app) continue;
        const [member] = await Promise.all([joined(app), channel.invite(app.name.service)]);
        inside.push({ app, channel: member });
        await member.publish(bytes(`join ${change}`));
        expect(await read(channel, 1)).toStrictEqual([`join ${change}`]);
      } else {
        const member = take(inside);
        if (!member) continue;
        await channel.remove(member.app.name.service);
        await member.channel.ended;
        outside.push(member.app);
      }
    }
    for (const member of inside) await until(() => member.channel.epoch === channel.epoch);
    expect(seen).toStrictEqual([]);
    // The library refused some welcomes on the way, and nobody noticed (reference: MLS 12.1).
    const rejoins = tap.seen.filter(
      ({ type, isSent }) => isSent && type === messageType.rejoinRequest,
    );
    expect(rejoins.length).toBeGreaterThan(0);
  }, 240_000);
});
