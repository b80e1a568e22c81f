import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  sharedSecret,
  systemClock,
  type Clock,
  type Link,
  type SlimApp as App,
  type SlimError,
} from '@nestjs-slim/core';
import { http2Dialler, nodeCrypto, SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { slimHeader, subscription } from '../../libs/slim-core/src/wire/header.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { NativePeer } from '../support/native-peer.js';
import { firstSession, texts } from '../support/sessions.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const otherSecret = 'another-secret-that-is-also-40-bytes-long';
const discoveryMs = 300;

/** A clock that is wrong by so much. */
const shifted = (byMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + byMs });

let node: SlimNode;
let official: NativePeer;
let ours: App;

beforeAll(async () => {
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  official = await NativePeer.start();
  await official.connect(node.url ?? '');
  await official.app({ name: 'org/ns/official', secret });
  ours = await connect('org/ns/ours', { secret });
});

afterAll(async () => {
  await ours.close();
  await official.stop();
  await node.close();
});

function connect(name: string, options: { secret: string; clock?: Clock }): Promise<App> {
  const { secret: own, ...rest } = options;
  return SlimApp.connect({
    ...rest,
    name,
    identity: sharedSecret({ secret: own }),
    node: node.url ?? '',
  });
}

/** What ours refuses next. */
const refusal = (): Promise<SlimError> =>
  new Promise((resolve) => {
    const stop = ours.on('dropped', (reason) => {
      stop();
      resolve(reason);
    });
  });

/** Both sides still serve a peer that does everything right. */
async function expectServed(): Promise<void> {
  const accepted = official.accept();
  const session = await ours.openSession('org/ns/official');
  const native = await accepted;
  await session.publish(Buffer.from('still here'));
  expect((await official.receive(native, 1))[0]?.text).toBe('still here');
  await session.close();
}

describe('what is wrong is refused, and the next good peer is served', () => {
  it('an official application with another secret', async () => {
    const stranger = await NativePeer.start();
    await stranger.connect(node.url ?? '');
    await stranger.app({ name: 'org/ns/stranger', secret: otherSecret });
    const refused = refusal();
    const opening = stranger.open('org/ns/ours', {
      intervalMs: 100,
      maxRetries: 2,
      reliable: true,
    });
    await expect(opening).rejects.toThrow('retries exhausted');
    expect(await refused).toMatchObject({ code: 'identity-rejected' });
    await stranger.stop();
    await expectServed();
  });

  it('our application with another secret', async () => {
    const stranger = await connect('org/ns/stranger', { secret: otherSecret });
    await expect(stranger.openSession('org/ns/official', { discoveryMs })).rejects.toMatchObject({
      code: 'no-route',
    });
    await stranger.close();
    await expectServed();
  });

  it.each([
    ['older than an hour', -3_700_000],
    ['from the future', 60_000],
  ])('a token %s', async (_case, byMs) => {
    const late = await connect('org/ns/late', { secret, clock: shifted(byMs) });
    const refused = refusal();
    for (const target of ['org/ns/official', 'org/ns/ours']) {
      await expect(late.openSession(target, { discoveryMs })).rejects.toMatchObject({
        code: 'no-route',
      });
    }
    expect(await refused).toMatchObject({ code: 'identity-rejected' });
    await late.close();
    await expectServed();
  });

  it('a subscription without header MAC', async () => {
    const before = node.counters;
    const link = await http2Dialler(node.url ?? '').dial(AbortSignal.timeout(5_000));
    const request = new NegotiationRequest(nodeCrypto, 'link-1', 'node-1', connectionType.edge);
    const frames = incomingFrames(link);
    link.send(request.frame);
    const { mac } = request.complete(await frames.next());
    const header = slimHeader.make({
      source: WireName.of(ours.name),
      destination: WireName.of(ours.name),
      fanout: 1,
      ttl: 8,
    });
    const subscribe = (id: bigint, headerMac?: Uint8Array): boolean =>
      link.send(
        frame.encode(
          frame.make({ subscribe: subscription.make({ header: { ...header, headerMac }, id }) }),
        ),
      );
    subscribe(1n);
    subscribe(2n, new Uint8Array(32));
    subscribe(3n, mac?.tag(header));
    const { subscriptionAck } = frame.decode(await frames.next());
    expect(subscriptionAck).toMatchObject({ id: 3n, success: true });
    expect(node.counters.dropped['header-mac']).toBe(before.dropped['header-mac'] + 2);
    await link.close();
    await expectServed();
  });

  it('a message larger than a link takes', async () => {
    const accepted = official.accept();
    const session = await ours.openSession('org/ns/official', { mls: false });
    const native = await accepted;
    await expect(session.publish(Buffer.alloc(4 * 1024 * 1024))).rejects.toMatchObject({
      code: 'message-too-large',
    });
    const large = Buffer.alloc(4_000_000, 7);
    await session.publish(large);
    expect((await official.receive(native, 1))[0]?.hex).toBe(large.toString('hex'));
    await session.close();
  });
});

/** Frames of a link, one read at a time. */
function incomingFrames(link: Link): { next(): Promise<Uint8Array> } {
  const ready: Uint8Array[] = [];
  let wake = (): void => undefined;
  link.open({
    frame: (bytes) => {
      ready.push(bytes);
      wake();
    },
    drained: () => undefined,
    closed: () => undefined,
  });
  return {
    next: async () => {
      for (;;) {
        const first = ready.shift();
        if (first) return first;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

describe('our node', () => {
  it('carries an MLS session of two official applications', async () => {
    const caller = await NativePeer.start();
    await caller.connect(node.url ?? '');
    await caller.app({ name: 'org/ns/caller', secret });
    const accepted = official.accept();
    const opened = await caller.open('org/ns/official', { mls: true, reliable: true });
    const native = await accepted;
    const received = official.receive(native, 50);
    await caller.publishMany(opened, 50, 'native ', { wait: true });
    expect((await received).map(({ text }) => text)).toStrictEqual(
      Array.from({ length: 50 }, (_, index) => `native ${index}`),
    );
    const back = caller.receive(opened, 1);
    await official.publish(native, 'back', { wait: true });
    expect((await back)[0]?.text).toBe('back');
    await caller.close(opened);
    await caller.stop();
  });

  it('gives a request to an official application and its reply back', async () => {
    const accepted = official.accept();
    const session = await ours.openSession('org/ns/official');
    const native = await accepted;
    const echo = official.echo(native);
    const reply = await session.request(Buffer.from('ping'), { timeoutMs: 5_000 });
    expect(Buffer.from(reply.payload).toString()).toBe('ping');
    await session.close();
    expect(await echo).toMatchObject({ count: 1 });
  });

  it('lets an official application find ours by an alias', async () => {
    await ours.subscribe('org/ns/alias');
    const [session, native] = await Promise.all([
      firstSession(ours),
      official.open('org/ns/alias', { mls: true, reliable: true }),
    ]);
    await official.publish(native, 'to the alias', { wait: true });
    const [first] = await texts(session, 1);
    expect(first?.text).toBe('to the alias');
    await first?.message.reply(Buffer.from('from the alias'));
    expect((await official.receive(native, 1))[0]).toMatchObject({
      text: 'from the alias',
      source: { name: 'org/ns/alias' },
    });
    await session.close();
  });
});
