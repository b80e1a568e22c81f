import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Session, type SlimApp as App } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-node';
import { NativePeer, type NativeSession } from '../support/native-peer.js';
import { startNode } from '../support/party.js';
import { firstSession, texts } from '../support/sessions.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const count = 50;
const metadata = { trace: 'abc' };

/** One node, one official application and one of ours connected to it. */
interface Network {
  readonly url: string;
  readonly official: NativePeer;
  readonly ours: App;
  end(): Promise<void>;
}

async function network(kind: keyof typeof startNode): Promise<Network> {
  const node = await startNode[kind]();
  const official = await NativePeer.start();
  await official.connect(node.url);
  await official.app({ name: 'org/ns/official', secret });
  const ours = await SlimApp.connect({
    name: 'org/ns/ours',
    identity: sharedSecret({ secret }),
    node: node.url,
  });
  return {
    url: node.url,
    official,
    ours,
    end: async () => {
      await ours.close();
      await official.stop();
      await node.stop();
    },
  };
}

/** Opens the session from the side that the case says; both sides are ready when it settles. */
async function meet(
  { official, ours }: Network,
  inviter: string,
  options: { readonly mls: boolean; readonly reliable: boolean },
): Promise<{ readonly native: NativeSession; readonly session: Session }> {
  if (inviter === 'ours') {
    const accepted = official.accept();
    const session = await ours.openSession('org/ns/official', { ...options, metadata });
    return { session, native: await accepted };
  }
  const [session, native] = await Promise.all([
    firstSession(ours),
    official.open('org/ns/ours', { ...options, metadata }),
  ]);
  return { session, native };
}

const modes = [
  { mls: true, reliable: true },
  { mls: true, reliable: false },
  { mls: false, reliable: true },
  { mls: false, reliable: false },
];

describe.each(Object.keys(startNode) as (keyof typeof startNode)[])('through %s', (kind) => {
  let net: Network;
  beforeAll(async () => {
    net = await network(kind);
  });
  afterAll(() => net.end());

  describe.each(['ours', 'official'])('%s invites', (inviter) => {
    it.each(modes)('exchanges messages in order with %o', async (mode) => {
      const { native, session } = await meet(net, inviter, mode);
      expect(session.metadata).toStrictEqual(metadata);
      expect(native.metadata).toMatchObject(metadata);
      expect(session).toMatchObject(mode);

      const sent = Array.from({ length: count }, (_, index) => `to official ${index}`);
      const received = net.official.receive(native, count);
      for (const text of sent) {
        await session.publish(Buffer.from(text), { payloadType: 'text/plain', metadata: { text } });
      }
      const atOfficial = await received;
      expect(atOfficial.map(({ text }) => text)).toStrictEqual(sent);
      expect(atOfficial[7]).toMatchObject({
        payloadType: 'text/plain',
        metadata: { text: 'to official 7' },
        source: { name: 'org/ns/ours' },
      });

      const back = texts(session, count);
      await net.official.publishMany(native, count, 'to ours ', { payloadType: 'x/y', wait: true });
      const messages = await back;
      expect(messages.map(({ text }) => text)).toStrictEqual(
        Array.from({ length: count }, (_, index) => `to ours ${index}`),
      );
      expect(messages[3]?.message).toMatchObject({ payloadType: 'x/y' });
      expect(messages[3]?.message.source.service).toBe('org/ns/official');

      if (inviter === 'ours') {
        const end = net.official.receiveSome(native, 1, 5_000);
        await session.close();
        expect(await end).toMatchObject({ messages: [], ended: 'closed' });
      } else {
        await net.official.close(native);
        expect(await session.ended).toMatchObject({ code: 'session-closed' });
      }
    });
  });

  it('hears of it when the side that was invited leaves', async () => {
    const { native, session } = await meet(net, 'ours', { mls: true, reliable: true });
    await net.official.close(native);
    expect(await session.ended).toMatchObject({ code: 'session-closed' });

    const second = await meet(net, 'official', { mls: true, reliable: true });
    const end = net.official.receiveSome(second.native, 1, 5_000);
    await second.session.close();
    expect(await end).toMatchObject({ messages: [], ended: 'closed' });
  });

  it('finds every official instance of a name, and one by anycast', async () => {
    const second = await NativePeer.start();
    try {
      await second.connect(net.url);
      await second.app({ name: 'org/ns/official', secret });
      const found = new Set<string>();
      for await (const name of net.ours.instances('org/ns/official', { discoveryMs: 1_000 })) {
        found.add(String(name));
      }
      expect(found.size).toBe(2);
      expect(found).toContain(String(await net.ours.discover('org/ns/official')));
    } finally {
      await second.stop();
    }
  });
});
