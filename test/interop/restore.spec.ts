import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import { KeptApp } from '../support/kept-app.js';
import { NativePeer } from '../support/native-peer.js';
import { OfficialParty, startNode, type Party } from '../support/party.js';
import { firstChannel, texts } from '../support/sessions.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'slim-restore-'))));
afterAll(() => rm(folder, { recursive: true }));

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop();
});

let stores = 0;

async function network(kind: keyof typeof startNode = 'the official node') {
  const { url, stop } = await startNode[kind]();
  running.push({ stop });
  const path = join(folder, `${(stores += 1)}.db`);
  const kept = await KeptApp.start({ url, secret, name: 'org/ns/kept', path });
  running.push(kept);
  return { url, kept };
}

async function official(url: string, name: string): Promise<OfficialParty> {
  const party = await OfficialParty.start({ url, secret, name });
  running.push(party);
  return party;
}

async function joins(moderator: Party, member: Party): Promise<void> {
  await Promise.all([member.accept(), moderator.invite(member.name)]);
}

/** Everybody publishes one after the other; everybody else gets it. */
async function expectTalk(parties: readonly Party[], what: string): Promise<void> {
  for (const from of parties) {
    const expected = [`${what} ${from.name} 0`, `${what} ${from.name} 1`];
    const others = parties.filter((party) => party !== from);
    await from.publish(2, `${what} ${from.name} `);
    for (const to of others) expect(await to.receive(2)).toStrictEqual(expected);
  }
}

async function expectEventually<T>(look: () => Promise<T>, expected: T): Promise<void> {
  for (const endMs = Date.now() + 15_000; ;) {
    const found = await look();
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    if (Date.now() > endMs) expect(found).toStrictEqual(expected);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const names = (...parties: Party[]): string[] => parties.map(({ name }) => name).toSorted();

describe('our application, killed and started again', () => {
  it.each([
    { opener: 'ours', mls: true },
    { opener: 'the official one', mls: true },
    { opener: 'ours', mls: false },
  ])(
    'goes on in a session that $opener opened, MLS $mls',
    async ({ opener, mls }) => {
      const { url, kept } = await network();
      const { peer } = await official(url, 'org/ns/official');
      const options = { mls, reliable: true, intervalMs: 300, maxRetries: 30 };
      const native =
        opener === 'ours'
          ? (await Promise.all([peer.accept(), kept.open('org/ns/official', options)]))[0]
          : (await Promise.all([peer.open('org/ns/kept', options), kept.accept()]))[0];
      for (const round of ['before', 'first']) {
        await kept.publish(3, `${round} ours `);
        const received = await peer.receive(native, 3);
        expect(received.map(({ text }) => text)).toStrictEqual(
          [0, 1, 2].map((at) => `${round} ours ${at}`),
        );
        await peer.publishMany(native, 3, `${round} theirs `, { wait: true });
        expect(await kept.receive(3)).toStrictEqual([0, 1, 2].map((at) => `${round} theirs ${at}`));
        await kept.restart();
        expect(kept.restored).toMatchObject([{ kind: 'session', mls }]);
      }
      // What the other side sends while ours is down comes by its repetitions.
      await kept.kill();
      await peer.publish(native, 'while it was down');
      await kept.restart();
      expect(await kept.receive(1)).toStrictEqual(['while it was down']);
    },
    60_000,
  );

  it('goes on as the moderator of a channel with official members', async () => {
    const { url, kept } = await network();
    const first = await official(url, 'org/ns/first');
    const second = await official(url, 'org/ns/second');
    await kept.create('org/ns/room', { mls: true, reliable: true, intervalMs: 1_000 });
    await joins(kept, first);
    await joins(kept, second);
    await expectTalk([kept, first, second], 'before');

    await kept.restart();
    for (const party of [kept, first, second]) {
      await expectEventually(() => party.online(), names(kept, first, second));
    }
    await expectTalk([kept, first, second], 'after');

    const late = await official(url, 'org/ns/late');
    await joins(kept, late);
    await kept.remove('org/ns/first');
    await first.ended();
    await expectTalk([kept, second, late], 'changed');

    await kept.restart();
    await expectTalk([kept, second, late], 'again');
    expect(await kept.online()).toStrictEqual(names(kept, second, late));
  }, 90_000);

  it('goes on as a member of a channel with an official moderator, also after missed changes', async () => {
    const { url, kept } = await network();
    const moderator = await official(url, 'org/ns/moderator');
    const stays = await official(url, 'org/ns/stays');
    const late = await official(url, 'org/ns/late');
    const timers = { intervalMs: 300, maxRetries: 6 };
    await moderator.create('org/ns/room', { mls: true, reliable: true, ...timers });
    for (const member of [kept, stays]) await joins(moderator, member);
    await expectTalk([moderator, kept, stays], 'before');

    await kept.restart();
    for (const party of [moderator, stays]) {
      await expectEventually(() => party.online(), names(moderator, kept, stays));
    }
    await expectTalk([moderator, kept, stays], 'same keys');

    await kept.kill();
    await joins(moderator, late);
    await kept.restart();
    const all = [moderator, kept, stays, late];
    for (const party of all) await expectEventually(() => party.online(), names(...all));
    await expectTalk(all, 'new keys');

    // The moderator still takes changes.
    await moderator.remove('org/ns/kept');
    await kept.ended();
    await kept.restart();
    expect(kept.restored).toStrictEqual([]);
  }, 90_000);
});

describe('an official application with persistence, killed and started again', () => {
  it.each(['a session', 'a channel that it moderates', 'a channel that ours moderates'])(
    'goes on with ours in %s',
    async (what) => {
      const { url, stop } = await startNode['our node']();
      running.push({ stop });
      const ours = await SlimApp.connect({
        name: 'org/ns/ours',
        identity: sharedSecret({ secret }),
        node: url,
      });
      running.push({ stop: () => ours.close() });
      const persistence = { path: join(folder, `native-${(stores += 1)}`), passphrase: secret };
      const start = async (): Promise<NativePeer> => {
        const peer = await NativePeer.start();
        running.push(peer);
        await peer.connect(url);
        await peer.app({ name: 'org/ns/official', secret, persistence });
        return peer;
      };
      const options = { mls: true, reliable: true, intervalMs: 500, maxRetries: 20 };
      const before = await start();
      const session = await (async () => {
        if (what === 'a session') {
          return (
            await Promise.all([ours.openSession('org/ns/official', options), before.accept()])
          )[0];
        }
        if (what === 'a channel that ours moderates') {
          const channel = await ours.createChannel('org/ns/room', options);
          await Promise.all([before.accept(), channel.invite('org/ns/official')]);
          return channel;
        }
        const group = await before.createGroup('org/ns/room', options);
        const [channel] = await Promise.all([
          firstChannel(ours),
          before.invite(group, 'org/ns/ours'),
        ]);
        return channel;
      })();
      await session.publish(Buffer.from('before'));
      await before.kill();

      const after = await start();
      const [restored] = await after.restore();
      if (!restored) throw new Error('nothing was restored');
      await session.publish(Buffer.from('after'));
      const received = await after.receiveSome(restored, 1, 10_000);
      expect(received.messages.map(({ text }) => text)).toStrictEqual(['after']);
      // In a session of two the official side restores no peer, so its own messages never leave.
      if (what === 'a session') return;
      await after.publish(restored, 'from the official one');
      expect((await texts(session, 1))[0]?.text).toBe('from the official one');
    },
    60_000,
  );
});
