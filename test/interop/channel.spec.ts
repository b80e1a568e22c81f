import { afterEach, describe, expect, it } from '@jest/globals';
import { sharedSecret } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import { NativePeer } from '../support/native-peer.js';
import { OfficialParty, OurParty, startNode, type Party } from '../support/party.js';
import { firstChannel, texts } from '../support/sessions.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const count = 100;
const start = { ours: OurParty.start, official: OfficialParty.start };
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
async function exchange(parties: readonly Party[], round: string): Promise<void> {
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
      await moderator.create('org/ns/room', { mls, reliable: true });
      for (const member of members) await join(moderator, member);
      await exchange([moderator, ...members], 'all');
      for (const party of [moderator, ...members]) {
        expect(await party.online()).toStrictEqual(names(moderator, ...members));
      }

      await moderator.remove(second.name);
      await second.ended();
      await exchange([moderator, first, third], 'without the second');

      await join(moderator, second);
      await exchange([moderator, ...members], 'with the second');

      await first.close();
      await eventually(() => moderator.online(), names(moderator, second, third));
      await exchange([moderator, second, third], 'without the first');

      const ends = [second.ended(), third.ended()];
      await moderator.close();
      await Promise.all(ends);
    },
    60_000,
  );
});

/** Waits until a question has that answer. */
async function eventually<Answer>(ask: () => Promise<Answer>, expected: Answer): Promise<void> {
  for (const endMs = Date.now() + 5_000; ; ) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected) || Date.now() > endMs) {
      return expect(answer).toStrictEqual(expected);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
