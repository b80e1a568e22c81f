import { afterEach, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Channel, type SlimApp as App } from '@nestjs-slim/core';
import { Fabric } from '@nestjs-slim/core/testing';
import { nodeCrypto, SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { firstChannel, texts } from '../support/sessions.js';

const secret = 'a secret that only the tests of this file share';
const perMember = 2;
/** Many in one process are slow to answer, which is no reason to say everything again. */
const sessions = { intervalMs: 30_000, heartbeatMs: 120_000 };

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.close();
});

async function inMemory(): Promise<(name: string) => Promise<App>> {
  const fabric = new Fabric(nodeCrypto, secret);
  running.push(fabric);
  return (name) => fabric.connect(name, { sessions });
}

async function throughNode(): Promise<(name: string) => Promise<App>> {
  const node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  running.push(node);
  return async (name) => {
    const identity = sharedSecret({ secret });
    const app = await SlimApp.connect({ name, identity, node: node.url ?? '', sessions });
    running.push(app);
    return app;
  };
}

/** A channel of so many, all but the last of which come with one change of keys. */
async function channelOf(size: number, connect: (name: string) => Promise<App>) {
  const moderator = await connect('org/ns/moderator');
  const channel = await moderator.createChannel('org/ns/room', { discoveryMs: 60_000 });
  const apps: App[] = [];
  for (let index = 1; index < size; index += 1) apps.push(await connect(`org/ns/member-${index}`));
  const joining = apps.map(firstChannel);
  const names = apps.map(({ name }) => name.service);
  const results = await channel.inviteAll(names.slice(0, -1));
  expect(results.filter(({ error }) => error)).toStrictEqual([]);
  await channel.invite(names.at(-1) ?? '');
  return [channel, ...(await Promise.all(joining))];
}

async function expectAllReceived(all: readonly Channel[]): Promise<void> {
  const received = all.map((one) => texts(one, (all.length - 1) * perMember, 60_000));
  for (let round = 0; round < perMember; round += 1) {
    await Promise.all(all.map((one, index) => one.publish(Buffer.from(`${index}:${round}`))));
  }
  for (const [at, messages] of (await Promise.all(received)).entries()) {
    for (const sender of all.keys()) {
      const prefix = `${sender}:`;
      const own = messages.filter(({ text }) => text.startsWith(prefix)).map(({ text }) => text);
      const expected = Array.from({ length: perMember }, (_, round) => `${sender}:${round}`);
      expect(own).toStrictEqual(sender === at ? [] : expected);
    }
  }
}

describe('a large channel', () => {
  it.each([
    { size: 100, where: 'on links in memory', open: inMemory },
    { size: 50, where: 'through a node', open: throughNode },
  ])(
    'brings every message of $size members to all, in order, $where',
    async ({ size, open }) => {
      const all = await channelOf(size, await open());
      await expectAllReceived(all);
      expect(new Set(all.map(({ epoch }) => epoch))).toStrictEqual(new Set([2n]));
      await all[0]?.close();
    },
    180_000,
  );
});
