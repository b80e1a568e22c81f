import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, subscribeTo, unsubscribeFrom, wireNameOf } from '../testing/frames.js';
import { LinkProbe } from '../testing/link-probe.js';
import { ManualClock } from '../testing/manual-clock.js';
import { NodeClient } from '../testing/node-client.js';
import { turns } from '../testing/turns.js';
import { fanout } from '../wire/header.js';
import type { NodeLimits } from './node-limits.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

function setup(limits: Partial<NodeLimits> = {}) {
  const clock = new ManualClock();
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node', limits });
  const connect = () => NodeClient.connect(node, nodeCrypto);
  const accept = () => {
    const [near, far] = memoryLinkPair();
    node.accept(far);
    return new LinkProbe(near);
  };
  const [x, y] = [wireNameOf('org/ns/x'), wireNameOf('org/ns/y')];
  return { clock, node, connect, accept, x, y };
}

const publishes = (client: NodeClient): number =>
  client.received().filter(({ publish }) => publish).length;
const acks = (client: NodeClient) =>
  client.received().map(({ subscriptionAck }) => subscriptionAck);

describe('limits', () => {
  it.each([
    { limits: { stallMs: -1 }, name: 'stallMs' },
    { limits: { maxLinks: Number.NaN }, name: 'maxLinks' },
  ])('that are no numbers from 0 on are refused by name: $name', ({ limits, name }) => {
    expect(() => setup(limits)).toThrow(`limit ${name}: expected a number from 0 on`);
  });

  it('refuse a subscription over the limit of its link, and say which limit', async () => {
    const { node, connect, x, y } = setup({ maxSubscriptionsPerLink: 2 });
    const [client, other] = [await connect(), await connect()];
    await client.send(subscribeTo(x, 1n), subscribeTo(x, 2n), subscribeTo(y, 3n));
    expect(acks(client)).toStrictEqual([
      { id: 1n, success: true, error: '' },
      { id: 2n, success: true, error: '' },
      { id: 3n, success: false, error: 'a link may have 2 subscriptions' },
    ]);
    expect(node.counters.dropped.limit).toBe(1);
    await client.send(unsubscribeFrom(x, 1n), subscribeTo(y, 4n));
    await other.send(subscribeTo(y, 5n));
    expect(acks(client).map((ack) => ack?.success)).toStrictEqual([true, true]);
    expect(acks(other).map((ack) => ack?.success)).toStrictEqual([true]);
  });

  it('refuse a name that nobody would give, which would be kept for as long as the link', async () => {
    const { node, connect } = setup();
    const client = await connect();
    const long = wireNameOf(`org/ns/${'x'.repeat(5_000)}`);
    await client.send(subscribeTo(long, 1n), subscribeTo(wireNameOf('org/ns/y'), 2n));
    expect(acks(client)).toStrictEqual([
      { id: 1n, success: false, error: 'a name of 5073 bytes, the limit is 1024' },
      { id: 2n, success: true, error: '' },
    ]);
    expect(node.counters).toMatchObject({ subscriptions: 1, dropped: { limit: 1 } });
  });

  it('refuse a link over the limit, and take the next one when there is room', async () => {
    const { node, connect, accept } = setup({ maxLinks: 2 });
    const refused: string[] = [];
    node.on('refused', ({ reason }) => refused.push(`${reason.code}: ${reason.message}`));
    const [first] = [await connect(), await connect()];
    const third = accept();
    await third.ended();
    expect(refused).toStrictEqual(['refused: the node has 2 links, which is its limit']);
    expect(node.counters).toMatchObject({ connections: 2, refused: 1 });
    await first?.probe.link.close();
    await turns();
    await connect();
    expect(node.counters.connections).toBe(2);
  });

  it('bound the time for a negotiation', async () => {
    const { clock, node, accept } = setup({ negotiationTimeoutMs: 40 });
    const probe = accept();
    clock.advance(40);
    await probe.ended();
    expect(node.counters).toMatchObject({ connections: 0, refused: 1 });
  });
});

describe('a receiver that does not read', () => {
  /** A sender to one that reads and one that does not, until that one is full. */
  async function overload(limits: Partial<NodeLimits> = {}) {
    const base = setup({ stallMs: 250, deadMs: 30_000, ...limits });
    const { connect, x } = base;
    const [sender, slow, fast] = [await connect(), await connect(), await connect()];
    for (const client of [slow, fast]) await client.send(subscribeTo(x, 0n));
    slow.probe.link.pause();
    const send = (count: number) =>
      sender.send(...Array(count).fill(publishTo(x, { fanout: fanout.all })));
    await send(2_000);
    return { ...base, sender, slow, fast, send };
  }

  it('makes its senders wait for a moment, then the others get everything', async () => {
    const { clock, node, fast, send } = await overload();
    const before = publishes(fast);
    expect(before).toBeLessThan(1_000);
    clock.advance(249);
    await turns();
    expect(publishes(fast)).toBe(0);
    clock.advance(1);
    await turns();
    await send(3_000);
    expect(before + publishes(fast)).toBe(5_000);
    expect(node.counters.dropped.overload).toBeGreaterThan(3_000);
  });

  it('is told apart in the snapshot, with what was shed for it', async () => {
    const { clock, node, fast, send } = await overload();
    clock.advance(250);
    await send(1);
    publishes(fast);
    const full = node.snapshot().links.filter(({ isFull }) => isFull);
    expect(full).toHaveLength(1);
    expect(full[0]?.dropped).toBe(node.counters.dropped.overload);
  });

  it('gets what comes once it reads again', async () => {
    const { clock, node, slow, fast, send } = await overload();
    clock.advance(250);
    await turns();
    slow.probe.link.resume();
    await turns();
    publishes(slow);
    const { overload: shed } = node.counters.dropped;
    await send(3);
    expect(publishes(slow)).toBe(3);
    expect(node.counters.dropped.overload).toBe(shed);
    publishes(fast);
    expect(clock.pending).toBe(0);
  });

  it('for long loses its link', async () => {
    const { clock, node, slow } = await overload();
    const ends: unknown[] = [];
    node.on('link', (event) => event.kind === 'closed' && ends.push(event.reason?.message));
    clock.advance(29_999);
    await turns();
    expect(node.counters.connections).toBe(3);
    clock.advance(1);
    await turns();
    expect(ends).toStrictEqual(['memory:a did not read for 30000 ms']);
    expect(node.counters.connections).toBe(2);
    slow.probe.link.resume();
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind when it goes away', async () => {
    const { clock, slow } = await overload();
    await slow.probe.link.close();
    await turns();
    expect(clock.pending).toBe(0);
  });

  it('of its own confirmations costs a bounded number of them', async () => {
    const { clock, node, connect, x } = setup();
    const client = await connect();
    client.probe.link.pause();
    await client.send(...Array(1_000).fill(subscribeTo(x, 1n)));
    clock.advance(250);
    await turns();
    await client.send(...Array(1_000).fill(subscribeTo(x, 1n)));
    expect(node.counters.received).toBe(2_001);
    expect(node.counters.dropped.overload).toBeGreaterThan(1_000);
  });
});
