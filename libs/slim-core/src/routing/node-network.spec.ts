import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { publishTo, subscribeTo, unsubscribeFrom, wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MemoryDialler } from '../testing/memory-dialler.js';
import { NodeClient } from '../testing/node-client.js';
import { seededRandom } from '../testing/seeded-random.js';
import { turns } from '../testing/turns.js';
import type { Frame } from '../wire/frame.js';
import { fanout, initialTtl } from '../wire/header.js';
import type { WireName } from '../wire/wire-name.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

/** Nodes of this process with an application at each, linked as replicas in any way. */
async function network(count: number, mesh = false) {
  const clock = new ManualClock();
  const nodes = Array.from({ length: count }, (_, index) => {
    const peers = mesh ? { peers: {} } : {};
    return new RoutingNode({ crypto: nodeCrypto, clock, nodeId: `node-${index}`, ...peers });
  });
  const apps: NodeClient[] = [];
  for (const node of nodes) apps.push(await NodeClient.connect(node, nodeCrypto));
  const at = <Item>(items: readonly Item[], index: number): Item => {
    const item = items[index];
    if (item === undefined) throw new RangeError(`no item ${index}`);
    return item;
  };
  const links = new Map<string, { readonly dialler: MemoryDialler; close(): Promise<void> }>();
  const link = async (from: number, to: number): Promise<void> => {
    const dialler = new MemoryDialler(at(nodes, to));
    const outgoing = at(nodes, from).connect(dialler, { kind: 'peer' });
    await outgoing.whenEstablished();
    links.set(`${from}-${to}`, { dialler, close: () => outgoing.close() });
    await settle();
  };
  const unlink = async (from: number, to: number): Promise<void> => {
    await links.get(`${from}-${to}`)?.close();
    links.delete(`${from}-${to}`);
    await settle();
  };
  /** A subscription that travels several nodes takes several rounds. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < count + 2; round += 1) await turns();
  };
  const app = (index: number) => at(apps, index);
  /** How many copies each application gets of a message to all from one of them. */
  const copies = async (from: number, name: WireName): Promise<number[]> => {
    for (const one of apps) one.received();
    const source = wireNameOf(`org/ns/sender-${from}`);
    await app(from).send(publishTo(name, { source, fanout: fanout.all, ttl: initialTtl }));
    await settle();
    return apps.map((one) => one.received().filter(({ publish }) => publish).length);
  };
  const send = async (index: number, message: Frame) => {
    await app(index).send(message);
    await settle();
  };
  const routes = () => nodes.map((node) => node.routes(100).length);
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
    expect(clock.pending).toBe(0);
  };
  const any = wireNameOf('org/ns/agent');
  const name = any.withId(nameId(10n));
  return { nodes, app, link, links, unlink, send, copies, routes, settle, close, any, name };
}

describe('nodes in a row', () => {
  it('carry a message from end to end, and forget the name everywhere', async () => {
    const { link, send, copies, routes, close, name } = await network(4);
    for (const index of [0, 1, 2]) await link(index, index + 1);
    await send(3, subscribeTo(name, 1n));
    expect(routes()).toStrictEqual([1, 1, 1, 1]);
    expect(await copies(0, name)).toStrictEqual([0, 0, 0, 1]);
    await send(3, unsubscribeFrom(name, 1n));
    expect(routes()).toStrictEqual([0, 0, 0, 0]);
    await close();
  });

  it('learn what was subscribed before they were linked, whichever link comes first', async () => {
    const { link, send, copies, close, name } = await network(3);
    await send(2, subscribeTo(name, 1n));
    await link(0, 1);
    await link(1, 2);
    expect(await copies(0, name)).toStrictEqual([0, 0, 1]);
    await close();
  });
});

describe('nodes in a ring', () => {
  it.each([3, 4, 5])('of %d bring one copy to each subscriber', async (count) => {
    const { nodes, link, send, copies, close, name } = await network(count);
    for (let index = 0; index < count; index += 1) await link(index, (index + 1) % count);
    for (let index = 0; index < count; index += 1) await send(index, subscribeTo(name, 1n));
    for (let from = 0; from < count; from += 1) {
      const expected = nodes.map((_, index) => (index === from ? 0 : 1));
      expect(await copies(from, name)).toStrictEqual(expected);
    }
    expect(nodes.map((node) => node.counters.dropped.ttl)).toStrictEqual(nodes.map(() => 0));
    await close();
  });

  it('bring a message for any of them to exactly one', async () => {
    const { app, link, send, settle, close, any, name } = await network(3);
    for (const index of [0, 1, 2]) await link(index, (index + 1) % 3);
    for (const index of [0, 1, 2]) await send(index, subscribeTo(name, 1n));
    for (const index of [0, 1, 2]) app(index).received();
    await app(0).send(publishTo(any, { ttl: initialTtl }));
    await settle();
    const received = [0, 1, 2].map((index) => app(index).received().length);
    expect(received.reduce((sum, one) => sum + one, 0)).toBe(1);
    await close();
  });

  it('find the other way round when a link is lost, and forget the name when it ends', async () => {
    const { link, unlink, send, copies, routes, close, name } = await network(4);
    for (const index of [0, 1, 2, 3]) await link(index, (index + 1) % 4);
    await send(0, subscribeTo(name, 1n));
    await unlink(0, 1);
    expect(await copies(1, name)).toStrictEqual([1, 0, 0, 0]);
    await send(0, unsubscribeFrom(name, 1n));
    expect(routes()).toStrictEqual([0, 0, 0, 0]);
    await close();
  });

  it('forget a name whose only way to them is lost', async () => {
    const { link, unlink, send, routes, close, name } = await network(4);
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const)
      await link(from, to);
    await send(0, subscribeTo(name, 1n));
    expect(routes()).toStrictEqual([1, 1, 1, 1]);
    await unlink(0, 1);
    expect(routes()).toStrictEqual([1, 0, 0, 0]);
    await close();
  });
});

describe('nodes of a full mesh', () => {
  it('bring one copy to each subscriber in one hop', async () => {
    const { nodes, link, send, copies, close, name } = await network(4, true);
    for (const [from, to] of [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const) {
      await link(from, to);
    }
    for (const index of [0, 1, 2, 3]) await send(index, subscribeTo(name, 1n));
    expect(await copies(2, name)).toStrictEqual([1, 1, 0, 1]);
    expect(nodes.map((node) => node.counters.dropped.duplicate)).toStrictEqual([0, 0, 0, 0]);
    await close();
  });
});

describe('nodes linked at random', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('agree after any changes, seed %d', async (seed) => {
    const random = seededRandom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const count = 5;
    const { link, links, unlink, send, copies, routes, close, name } = await network(count);
    const subscribed = new Set<number>();
    let id = 1n;
    for (let step = 0; step < 25; step += 1) {
      const [one, other] = [below(count), below(count)];
      const isLinked = links.has(`${one}-${other}`) || links.has(`${other}-${one}`);
      if (random() < 0.4) {
        if (subscribed.delete(one)) await send(one, unsubscribeFrom(name, id));
        else {
          subscribed.add(one);
          await send(one, subscribeTo(name, (id += 1n)));
        }
      } else if (links.has(`${one}-${other}`)) await unlink(one, other);
      else if (one !== other && !isLinked) await link(one, other);
    }
    for (let from = 0; from < count; from += 1) {
      const reached = reachable(from, [...links.keys()]);
      const expected = Array.from({ length: count }, (_, index) =>
        index !== from && subscribed.has(index) && reached.has(index) ? 1 : 0,
      );
      expect(await copies(from, name)).toStrictEqual(expected);
    }
    for (const index of subscribed) await send(index, unsubscribeFrom(name, id));
    expect(routes()).toStrictEqual([0, 0, 0, 0, 0]);
    await close();
  });
});

/** Nodes that can be reached over links written as `from-to`, which go both ways. */
function reachable(from: number, links: readonly string[]): Set<number> {
  const reached = new Set([from]);
  for (const node of reached) {
    for (const link of links) {
      const [one = -1, other = -1] = link.split('-').map(Number);
      if (one === node) reached.add(other);
      if (other === node) reached.add(one);
    }
  }
  return reached;
}
