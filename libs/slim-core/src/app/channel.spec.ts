import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Channel } from '../session/channel.js';
import { Fabric } from '../testing/fabric.js';
import { joined, readTexts } from '../testing/joining.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const newFabric = (): Fabric => new Fabric(nodeCrypto, secret);

let fabric = newFabric();
afterEach(async () => {
  await fabric.close();
  fabric = newFabric();
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const read = (channel: Channel, count: number): Promise<string[]> =>
  readTexts(channel, count, 3_000);

async function room(size: number, options: { mls?: boolean; reliable?: boolean } = {}) {
  const moderatorApp = await fabric.connect('org/ns/moderator');
  const channel = await moderatorApp.createChannel('org/ns/room', options);
  const apps: SlimApp[] = [];
  const members: Channel[] = [];
  for (let index = 0; index < size; index += 1) {
    const app = await fabric.connect(`org/ns/member-${index}`);
    const [member] = await Promise.all([joined(app), channel.invite(`org/ns/member-${index}`)]);
    apps.push(app);
    members.push(member);
  }
  return { moderatorApp, channel, apps, members };
}

const services = (channel: Channel): string[] =>
  channel
    .participants()
    .map(({ name }) => name.service)
    .toSorted();

describe('a channel', () => {
  it.each([
    { mls: true, reliable: true },
    { mls: false, reliable: true },
    { mls: true, reliable: false },
    { mls: false, reliable: false },
  ])('carries messages of everybody to everybody else with %o', async (options) => {
    const { channel, members } = await room(3, options);
    const all = [channel, ...members];
    for (const [index, from] of all.entries()) {
      for (let count = 0; count < 5; count += 1) await from.publish(bytes(`${index}:${count}`));
    }
    for (const [index, to] of all.entries()) {
      const texts = await read(to, 15);
      for (const sender of [0, 1, 2, 3].filter((other) => other !== index)) {
        expect(texts.filter((text) => text.startsWith(`${sender}:`))).toStrictEqual(
          [0, 1, 2, 3, 4].map((count) => `${sender}:${count}`),
        );
      }
    }
    expect(new Set(all.map(({ epoch }) => epoch)).size).toBe(1);
    for (const each of all) expect(services(each)).toHaveLength(4);
  });

  it('ends for everybody when the moderator closes it', async () => {
    const { channel, members } = await room(2);
    await channel.close();
    for (const member of members) {
      expect(await member.ended).toMatchObject({ code: 'session-closed' });
    }
  });

  it('goes on without a member that was removed, which can read nothing more', async () => {
    const { channel, members } = await room(3);
    const [gone, ...staying] = members;
    if (!gone) throw new Error('no member');
    await channel.remove('org/ns/member-0');
    expect(await gone.ended).toMatchObject({ code: 'session-closed' });
    await channel.publish(bytes('without you'));
    for (const member of staying) expect(await read(member, 1)).toStrictEqual(['without you']);
    await expect(gone.next()).rejects.toMatchObject({ code: 'session-closed' });
    expect(services(channel)).not.toContain('org/ns/member-0');
  });

  it('takes a removed member back at once', async () => {
    const { channel, apps, members } = await room(2);
    const [app] = apps;
    if (!app) throw new Error('no member');
    await channel.remove('org/ns/member-0');
    const [again] = await Promise.all([joined(app), channel.invite('org/ns/member-0')]);
    await channel.publish(bytes('welcome back'));
    expect(await read(again, 1)).toStrictEqual(['welcome back']);
    await again.publish(bytes('hello again'));
    expect(await read(channel, 1)).toStrictEqual(['hello again']);
    expect(services(members[1] ?? channel)).toContain('org/ns/member-0');
  });

  it('goes on when a member leaves', async () => {
    const { channel, members } = await room(3);
    const left = new Promise((resolve) => channel.on('left', resolve));
    await members[1]?.close();
    await left;
    await channel.publish(bytes('still here'));
    expect(await read(members[0] ?? channel, 1)).toStrictEqual(['still here']);
    expect(services(channel)).toHaveLength(3);
  });

  it('lets one member be answered alone', async () => {
    const { channel, members } = await room(2);
    const [first, second] = members;
    await first?.publish(bytes('question'));
    const message = await channel.next();
    await message.reply(bytes('for you only'));
    await channel.publish(bytes('for all'));
    expect(await read(first ?? channel, 2)).toStrictEqual(['for you only', 'for all']);
    expect(await read(second ?? channel, 2)).toStrictEqual(['question', 'for all']);
  });

  it('numbers the messages of each sender, as their frames do', async () => {
    const { channel, members } = await room(2);
    await channel.publish(bytes('first'));
    await channel.publish(bytes('second'));
    await members[1]?.publish(bytes('of another'));
    const [reader] = members;
    const numbers: (readonly [string, number])[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { source, messageId } = await (reader ?? channel).next({ timeoutMs: 3_000 });
      numbers.push([source.service, messageId]);
    }
    expect(numbers).toStrictEqual([
      ['org/ns/moderator', 1],
      ['org/ns/moderator', 2],
      ['org/ns/member-1', 1],
    ]);
  });

  it('comes back after being offline while the keys changed', async () => {
    const { channel, members } = await room(2);
    const [away] = members;
    if (!away) throw new Error('no member');
    await away.goOffline();
    await channel.remove('org/ns/member-1');
    await channel.publish(bytes('not heard'));
    const epoch = new Promise((resolve) => away.on('epoch', resolve));
    await away.comeBack();
    await epoch;
    await away.publish(bytes('back'));
    expect(await read(channel, 1)).toStrictEqual(['back']);
    await channel.publish(bytes('heard'));
    expect(await read(away, 1)).toStrictEqual(['heard']);
    expect(away.epoch).toBe(channel.epoch);
  });

  it('is moderated by one side only', async () => {
    const { members } = await room(1);
    await expect(members[0]?.invite('org/ns/x')).rejects.toMatchObject({ code: 'not-moderator' });
    await expect(members[0]?.remove('org/ns/x')).rejects.toMatchObject({ code: 'not-moderator' });
  });

  it('removes a member of the same service as the moderator, not itself', async () => {
    const { channel } = await room(0);
    const twin = await fabric.connect('org/ns/moderator');
    await Promise.all([joined(twin), channel.invite(twin.name)]);
    await channel.remove('org/ns/moderator');
    expect(services(channel)).toStrictEqual(['org/ns/moderator']);
    expect(channel.participants()[0]?.name).toStrictEqual(channel.self);
    await channel.remove('org/ns/moderator');
    await expect(channel.publish(bytes('late'))).rejects.toMatchObject({ code: 'session-closed' });
  });

  it('tells why somebody did not come, and goes on', async () => {
    const { channel, members } = await room(1);
    const shy = await fabric.connect('org/ns/shy', { accept: () => false });
    await expect(channel.invite('org/ns/shy')).rejects.toMatchObject({ code: 'refused' });
    await expect(channel.invite('org/ns/member-0')).rejects.toMatchObject({
      code: 'already-a-member',
    });
    await expect(channel.remove('org/ns/nobody')).rejects.toMatchObject({ code: 'not-a-member' });
    await expect(channel.invite('org/ns/nobody')).rejects.toMatchObject({ code: 'no-route' });
    await channel.publish(bytes('on we go'));
    expect(await read(members[0] ?? channel, 1)).toStrictEqual(['on we go']);
    await shy.close();
  });

  it('invites many with one change of keys', async () => {
    const moderator = await fabric.connect('org/ns/moderator');
    const channel = await moderator.createChannel('org/ns/room');
    const apps = await Promise.all(
      Array.from({ length: 5 }, (_, index) => fabric.connect(`org/ns/member-${index}`)),
    );
    const [results, ...members] = await Promise.all([
      channel.inviteAll(apps.map(({ name }) => name.service)),
      ...apps.map(joined),
    ]);
    expect(results.map(({ error }) => error)).toStrictEqual(Array(5).fill(undefined));
    expect(channel.epoch).toBe(1n);
    await channel.publish(bytes('all of you'));
    for (const member of members) expect(await read(member, 1)).toStrictEqual(['all of you']);
    await members[2]?.publish(bytes('from two'));
    expect(await read(members[4] ?? channel, 1)).toStrictEqual(['from two']);
  });

  it.each(['the moderator', 'a member'])(
    'lets nobody read what %s says when it hears that they left',
    async (speaker) => {
      const { channel, members } = await room(2);
      const [gone, stays] = members;
      const speaking = speaker === 'a member' ? stays : channel;
      const heard: string[] = [];
      const read = (async () => {
        for await (const { payload } of gone ?? []) heard.push(new TextDecoder().decode(payload));
      })();
      const said = new Promise<void>((resolve) => {
        const stop = speaking?.on('left', () => {
          stop?.();
          resolve(speaking.publish(bytes('among us')));
        });
      });
      await channel.remove('org/ns/member-0');
      await said;
      await read;
      expect(heard).toStrictEqual([]);
    },
  );
});
