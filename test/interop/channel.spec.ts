import { afterEach, describe, expect, it } from '@jest/globals';
import {
  OfficialParty,
  OurParty,
  startNode,
  type Party,
  type PartyOptions,
} from '../support/party.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const manyMessages = 100;
const start = {
  ours: (options: PartyOptions): Promise<Party> => OurParty.start(options),
  official: (options: PartyOptions): Promise<Party> => OfficialParty.start(options),
};
type Kind = keyof typeof start;

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop();
});

/** A node and applications on it, the first of which will moderate. */
async function network(node: keyof typeof startNode, ...kinds: Kind[]) {
  const { url, stop } = await startNode[node]();
  running.push({ stop });
  const parties = await Promise.all(
    kinds.map((kind, index) => start[kind]({ url, secret, name: `org/ns/${kind}-${index}` })),
  );
  running.push(...parties);
  const [moderator, ...members] = parties;
  if (!moderator) throw new Error('nobody moderates');
  return { url, moderator, members };
}

async function join(moderator: Party, member: Party): Promise<void> {
  await Promise.all([member.accept(), moderator.invite(member.name)]);
}

/** Everybody publishes; everybody else gets all of it, each sender's messages in order. */
async function expectExchange(parties: readonly Party[], round: string, count = 20): Promise<void> {
  const received = parties.map((party) => party.receive((parties.length - 1) * count));
  await Promise.all(parties.map((party) => party.publish(count, `${round} ${party.name} `)));
  for (const [at, receiver] of parties.entries()) {
    const all = (await received[at]) ?? [];
    for (const sender of parties) {
      if (sender === receiver) continue;
      const prefix = `${round} ${sender.name} `;
      expect(all.filter((text) => text.startsWith(prefix))).toStrictEqual(
        Array.from({ length: count }, (_, index) => `${prefix}${index}`),
      );
    }
  }
}

const names = (...parties: Party[]): string[] => parties.map(({ name }) => name).toSorted();

describe.each(Object.keys(startNode) as (keyof typeof startNode)[])('through %s', (node) => {
  it.each([
    { kinds: ['official', 'ours', 'official', 'ours'] as const, mls: true },
    { kinds: ['ours', 'official', 'ours', 'official'] as const, mls: true },
    ...(node === 'our node'
      ? [
          { kinds: ['official', 'ours', 'official', 'ours'] as const, mls: false },
          { kinds: ['ours', 'official', 'ours', 'official'] as const, mls: false },
        ]
      : []),
  ])(
    'a channel of $kinds, the first moderates, MLS $mls',
    async ({ kinds, mls }) => {
      const { moderator, members } = await network(node, ...kinds);
      const [first, second, third] = members;
      if (!first || !second || !third) throw new Error('too few members');
      await moderator.create('org/ns/room', { mls, reliable: true, intervalMs: 3_000 });
      for (const member of members) await join(moderator, member);
      await expectExchange([moderator, ...members], 'all', manyMessages);
      for (const party of [moderator, ...members]) {
        expect(await party.online()).toStrictEqual(names(moderator, ...members));
      }

      await moderator.remove(second.name);
      await second.ended();
      await expectExchange([moderator, first, third], 'without the second', manyMessages);

      await join(moderator, second);
      await expectExchange([moderator, ...members], 'with the second', manyMessages);

      await first.close();
      // A publish of the official side that begins earlier waits for the one that left, for ever.
      for (const party of [moderator, second, third]) {
        await expectEventually(() => party.online(), names(moderator, second, third));
      }
      await expectExchange([moderator, second, third], 'without the first', manyMessages);

      const ends = [second.ended(), third.ended()];
      await moderator.close();
      await Promise.all(ends);
    },
    60_000,
  );
});

/** A channel on our node in which everybody is. */
async function room(...kinds: Kind[]) {
  const net = await network('our node', ...kinds);
  await net.moderator.create('org/ns/room', { mls: true, reliable: true, intervalMs: 1_000 });
  for (const member of net.members) await join(net.moderator, member);
  return { ...net, parties: [net.moderator, ...net.members] };
}

describe('a channel with an official moderator', () => {
  it('takes our member back after a while offline, with and without new keys meanwhile', async () => {
    const { moderator, members, parties } = await room('official', 'ours', 'official', 'ours');
    const [away, gone, stays] = members;
    if (!away || !gone || !stays) throw new Error('too few members');
    await away.goOffline();
    await expectEventually(() => moderator.online(), names(moderator, gone, stays));
    await away.comeBack();
    for (const party of parties) await expectEventually(() => party.online(), names(...parties));
    await expectExchange(parties, 'same keys');

    await away.goOffline();
    await moderator.remove(gone.name);
    await away.comeBack();
    for (const party of [moderator, away, stays]) {
      await expectEventually(() => party.online(), names(moderator, away, stays));
    }
    await expectExchange([moderator, away, stays], 'new keys');

    // It still takes changes of membership, which a lost acknowledgement would have ended.
    await join(moderator, gone);
    await expectExchange(parties, 'all again');
    expect(await moderator.online()).toStrictEqual(names(...parties));
  }, 60_000);
});

describe('a channel with our moderator', () => {
  it('takes an official member back after a while offline', async () => {
    const { moderator, members, parties } = await room('ours', 'official', 'ours', 'official');
    const [away, late, stays] = members;
    if (!away || !late || !stays) throw new Error('too few members');
    await moderator.remove(late.name);
    for (const party of [away, stays]) {
      await expectEventually(() => party.online(), names(moderator, away, stays));
    }
    await away.goOffline();
    await join(moderator, late);
    await away.comeBack();
    for (const party of parties) await expectEventually(() => party.online(), names(...parties));
    await expectExchange(parties, 'all');
    await moderator.remove(late.name);
    expect(await moderator.online()).toStrictEqual(names(moderator, away, stays));
  }, 60_000);

  it.each([2, 5])(
    'invites %i official members with one change of keys',
    async (size) => {
      const kinds = Array.from({ length: size }, () => 'official' as const);
      const { moderator, members } = await network('our node', 'ours', ...kinds);
      if (!(moderator instanceof OurParty)) throw new Error('we moderate');
      await moderator.create('org/ns/room', { mls: true, reliable: true });
      const [results] = await Promise.all([
        moderator.channel.inviteAll(members.map(({ name }) => name)),
        ...members.map((member) => member.accept()),
      ]);
      expect(results.map(({ error }) => error)).toStrictEqual(members.map(() => undefined));
      expect(moderator.channel.epoch).toBe(1n);
      await expectExchange([moderator, ...members], 'all');
    },
    60_000,
  );

  it('tells why an official application did not come, and goes on', async () => {
    const { url, moderator, parties } = await room('ours', 'official');
    const stranger = await OfficialParty.start({
      url,
      name: 'org/ns/stranger',
      secret: `not ${secret}`,
    });
    running.push(stranger);
    await expect(moderator.invite('org/ns/stranger')).rejects.toMatchObject({ code: 'no-route' });
    await expect(moderator.invite('org/ns/nobody')).rejects.toMatchObject({ code: 'no-route' });
    await expectExchange(parties, 'still here');
  }, 60_000);
});

/** Waits until a question has that answer. */
async function expectEventually<Answer>(
  ask: () => Promise<Answer>,
  expected: Answer,
): Promise<void> {
  for (const endMs = Date.now() + 5_000; ;) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected) || Date.now() > endMs) {
      return expect(answer).toStrictEqual(expected);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
