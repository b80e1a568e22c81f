import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash, RoutingNode } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { ManualClock } from '../../libs/slim-core/src/testing/manual-clock.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import {
  publishTo,
  subscribeTo,
  unsubscribeFrom,
  wireNameOf,
} from '../../libs/slim-core/src/testing/frames.js';
import { turns } from '../../libs/slim-core/src/testing/turns.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { subscriptionAck } from '../../libs/slim-core/src/wire/header.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { changes, damagedFrame, recordedFrame, runs, within } from './fuzz.js';
import { HostileLink } from './hostile-link.js';
import { expectNothingUnhandled } from './unhandled.js';

/** What the hostile clients begin as; the last one has negotiated nothing. */
const natures = [connectionType.edge, connectionType.peer, connectionType.remote, undefined];
const strangers = natures.length;
const link = fc.nat({ max: strangers - 1 });
const isSigned = fc.integer({ min: 0, max: 9 }).map((one) => one > 0);
const service = fc.constantFrom('org/ns/a', 'org/ns/b', 'org/other/a');
const instance = fc.constantFrom(
  '',
  '/00000000-0000-0000-0000-000000000001',
  '/ffffffff-ffff-ffff-ffff-fffffffffffe',
);
const name = fc.tuple(service, instance).map(([text, id]) => text + id);
const id = fc.oneof(fc.constantFrom(0n, 1n, 2n, 2n ** 64n - 1n), fc.bigInt(0n, 20n));
const hops = fc.oneof(
  fc.constantFrom(0, 1, 2, 8, 2 ** 31, 2 ** 32 - 1),
  fc.nat({ max: 2 ** 32 - 1 }),
);
const otherConnection = fc.option(fc.bigInt(0n, 8n), { nil: undefined });
const header = fc.record({
  ttl: hops,
  fanout: fc.constantFrom(0, 1, 2, 256, 2 ** 32 - 1),
  receivedFrom: otherConnection,
  forwardTo: otherConnection,
  incomingConnection: otherConnection,
});

/** One thing that a hostile client does. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('negotiate'),
    link,
    linkId: fc.constantFrom('', 'same', 'other', 'x'.repeat(5_000)),
    nodeId: fc.constantFrom('node', '', 'aa', 'zz'),
    type: fc.constantFrom(connectionType.edge, connectionType.peer, connectionType.remote),
  }),
  fc.record({
    kind: fc.constantFrom('subscribe', 'unsubscribe'),
    ...{ link, name, id, header, isSigned },
  }),
  fc.record({ kind: fc.constant('publish'), link, name, header, isSigned }),
  fc.record({ kind: fc.constant('ack'), link, id, success: fc.boolean() }),
  fc.record({ kind: fc.constant('bytes'), link, bytes: fc.oneof(damagedFrame, recordedFrame) }),
  fc.record({
    kind: fc.constant('bytes'),
    link,
    bytes: fc.uint8Array({ maxLength: 80 }),
  }),
  fc.record({ kind: fc.constant('damaged'), link, name, changes }),
  fc.record({ kind: fc.constantFrom('end', 'cut', 'pause', 'resume'), link }),
  fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(10, 600, 5_000, 40_000) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A node, two clients that keep to the rules, and some that do not. */
async function stage(isFullMesh: boolean) {
  const clock = new ManualClock();
  const limits = { maxSubscriptionsPerLink: 4, maxLinks: 12 };
  const mesh = isFullMesh ? { peers: {} } : {};
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node', limits, ...mesh });
  const alice = await NodeClient.connect(node, nodeCrypto);
  const bob = await NodeClient.connect(node, nodeCrypto);
  const bobName = wireNameOf('good/ns/bob');
  await bob.send(subscribeTo(bobName, 99n));
  expect(bob.received()).toMatchObject([{ subscriptionAck: { id: 99n, success: true } }]);
  const links = await Promise.all(natures.map((_, index) => open(node, index)));
  return { clock, node, alice, bob, bobName, links };
}

let opened = 0;

async function open(node: RoutingNode, index: number): Promise<HostileLink> {
  const hostile = new HostileLink(node);
  const nature = natures[index];
  opened += 1;
  if (nature !== undefined) await hostile.negotiate(`link-${opened}`, `node-${index}`, nature);
  return hostile;
}

type Stage = Awaited<ReturnType<typeof stage>>;

async function take({ clock, node, links }: Stage, one: Step): Promise<void> {
  if (one.kind === 'wait') return clock.advance(one.ms);
  let hostile = links[one.link];
  if (!hostile?.isOpen) links[one.link] = hostile = await open(node, one.link);
  const { probe } = hostile;
  switch (one.kind) {
    case 'negotiate':
      return hostile.negotiate(one.linkId, one.nodeId, one.type);
    case 'subscribe':
      return hostile.send(subscribeTo(wireNameOf(one.name), one.id, one.header), one.isSigned);
    case 'unsubscribe':
      return hostile.send(unsubscribeFrom(wireNameOf(one.name), one.id, one.header), one.isSigned);
    case 'publish':
      return hostile.send(publishTo(wireNameOf(one.name), one.header), one.isSigned);
    case 'ack': {
      const ack = subscriptionAck.make({ id: one.id, success: one.success });
      return hostile.send(frame.make({ subscriptionAck: ack }));
    }
    case 'bytes':
      return hostile.sendBytes(one.bytes);
    case 'damaged':
      return hostile.sendDamaged(subscribeTo(wireNameOf(one.name), 3n, { ttl: 8 }), one.changes);
    case 'end':
      return probe.link.close();
    case 'cut':
      return probe.link.destroy(new Error('cut') as never);
    case 'pause':
      return probe.link.pause();
    case 'resume':
      return probe.link.resume();
  }
}

/** Two clients that keep to the rules notice nothing of those that do not. */
async function expectServed({ clock, alice, bob, bobName }: Stage): Promise<void> {
  await alice.send(publishTo(bobName));
  expect(bob.received()).toMatchObject([{ publish: { header: { ttl: 2 } } }]);
  const more = subscribeTo(wireNameOf('good/ns/more'), 100n);
  await alice.send(more);
  // Replicas that do not answer make it wait, for a bounded time.
  clock.advance(1_000);
  await turns();
  const acks = alice.received().filter(({ subscriptionAck: ack }) => ack);
  expect(acks).toMatchObject([{ subscriptionAck: { id: 100n, success: true } }]);
  await alice.send(unsubscribeFrom(wireNameOf('good/ns/more'), 100n));
  clock.advance(1_000);
  await turns();
  alice.received();
}

describe('a node', () => {
  beforeAll(loadNameHash);
  expectNothingUnhandled();

  it(
    'serves those who keep to the rules, whatever others send, and keeps nothing of them',
    async () => {
      const steps = fc.array(step, { minLength: 20, maxLength: 150, size: 'max' });
      await fc.assert(
        fc.asyncProperty(steps, fc.boolean(), async (list, isFullMesh) => {
          const all = await stage(isFullMesh);
          const { node, clock, links } = all;
          for (const [index, one] of list.entries()) {
            await take(all, one);
            await turns();
            if (index % 40 === 0) await expectServed(all);
          }
          await expectServed(all);
          expect(node.snapshot().links.length).toBeLessThanOrEqual(12);
          expect(node.routes(1_000).length).toBeLessThanOrEqual(1 + 4 * 12);
          for (const { probe } of links) probe.link.destroy(new Error('over') as never);
          await turns();
          expect(node.counters).toMatchObject({ connections: 2, subscriptions: 1 });
          expect(node.routes(10)).toMatchObject([{ name: 'good/ns/bob' }]);
          await expectServed(all);
          await node.close();
          await turns();
          expect(clock.pending).toBe(0);
          expect(node.counters).toMatchObject({ connections: 0, subscriptions: 0 });
        }),
        runs(60),
      );
    },
    within(30),
  );
});
