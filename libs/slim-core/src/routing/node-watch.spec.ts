import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { publishTo, subscribeTo, wireNameOf } from '../testing/frames.js';
import { ForwardingLink } from '../testing/forwarding-link.js';
import { LinkProbe } from '../testing/link-probe.js';
import { ManualClock } from '../testing/manual-clock.js';
import { NodeClient } from '../testing/node-client.js';
import { turns } from '../testing/turns.js';
import { internName } from '../wire/wire-name.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

function setup() {
  const clock = new ManualClock();
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node-1' });
  const connect = () => NodeClient.connect(node, nodeCrypto);
  const any = wireNameOf('org/ns/agent');
  return { clock, node, connect, any, x: any.withId(nameId(10n)) };
}

describe('the snapshot of a node', () => {
  it('says who it is, since when, and what it counted', async () => {
    const { clock, node } = setup();
    const startedAtMs = clock.now();
    clock.advance(1_000);
    expect(node.snapshot()).toStrictEqual({
      ...{ nodeId: 'node-1', state: 'running', startedAtMs, links: [] },
      counters: node.counters,
    });
  });

  it('shows each link with what went over it, both ways', async () => {
    const { clock, node, connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 1n));
    await sender.send(publishTo(x), publishTo(wireNameOf('org/ns/nobody')));
    const [first, second] = node.snapshot().links;
    expect(first).toMatchObject({
      ...{ id: 1, remote: 'memory:a', kind: 'edge', direction: 'incoming', state: 'established' },
      ...{ peerNodeId: 'client', peerVersion: '2.3.0', sinceMs: clock.now(), subscriptions: 0 },
      ...{ receivedFrames: 3, sentFrames: 1, dropped: 1, isFull: false },
    });
    expect(second).toMatchObject({
      ...{ id: 2, subscriptions: 1, receivedFrames: 2, sentFrames: 3, dropped: 0 },
    });
    const { receivedBytes, forwardedBytes } = node.counters;
    expect((first?.receivedBytes ?? 0) + (second?.receivedBytes ?? 0)).toBe(receivedBytes);
    expect(second?.sentBytes).toBeGreaterThan(forwardedBytes);
  });

  it('shows links that have not negotiated yet, and applications of the process', () => {
    const { node } = setup();
    node.accept(memoryLinkPair()[1]);
    NodeClient.connectLocal(node);
    expect(node.snapshot().links).toMatchObject([
      { state: 'negotiating', linkId: undefined, peerNodeId: undefined },
      { state: 'established', kind: 'local', linkId: undefined },
    ]);
  });
});

describe('the routes of a node', () => {
  it('are names as they were spelled, with the links that have them', async () => {
    const { node, connect, any, x } = setup();
    const [first, second] = [await connect(), await connect()];
    await first.send(subscribeTo(any, 1n), subscribeTo(x, 2n));
    await second.send(subscribeTo(x, 3n));
    expect(node.routes(10)).toStrictEqual([
      { name: 'org/ns/agent', id: undefined, links: [1] },
      { name: 'org/ns/agent', id: '00000000-0000-0000-0000-00000000000a', links: [1, 2] },
    ]);
    expect(node.routes(1)).toHaveLength(1);
    expect(node.routes(0)).toStrictEqual([]);
  });

  it('learn the strings of a name from the first who gives them', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    await client.send(subscribeTo(internName(x.bytes.subarray(0, 2 + (x.bytes[1] ?? 0))), 1n));
    expect(node.routes(1)).toMatchObject([{ name: '' }]);
    await client.send(subscribeTo(x, 2n));
    expect(node.routes(1)).toMatchObject([{ name: 'org/ns/agent' }]);
  });
});

describe('who watches a node', () => {
  it('hears of links that come and go, and why, until it listens no more', async () => {
    const { node, connect } = setup();
    const seen: string[] = [];
    const stop = node.on('link', ({ kind, link }) => seen.push(`${kind} ${link.id} ${link.kind}`));
    const client = await connect();
    await client.probe.link.close();
    await turns();
    expect(seen).toStrictEqual(['established 1 edge', 'closed 1 edge']);
    stop();
    await connect();
    expect(seen).toHaveLength(2);
  });

  it('hears of links that never negotiated', async () => {
    const { node } = setup();
    const reasons: string[] = [];
    node.on('refused', ({ remote, reason }) => reasons.push(`${remote}: ${reason.code}`));
    const [near, far] = memoryLinkPair();
    node.accept(far);
    const probe = new LinkProbe(near);
    near.send(Uint8Array.of(0xff));
    await probe.ended();
    await turns();
    expect(reasons).toStrictEqual(['memory:a: negotiation-failed']);
    expect(node.counters.refused).toBe(1);
  });

  it('hears of each frame that went nowhere, by link and reason', async () => {
    const { node, connect, x } = setup();
    const drops: unknown[] = [];
    node.on('drop', (event) => drops.push(event));
    const client = await connect();
    await client.send(publishTo(x), publishTo(x, { ttl: 1 }));
    expect(drops).toStrictEqual([
      { reason: 'no-route', link: 1 },
      { reason: 'ttl', link: 1 },
    ]);
  });

  it('hears from the listener of connections it turned away', () => {
    const { node } = setup();
    const refused: unknown[] = [];
    node.on('refused', (event) => refused.push(event));
    const reason = new SlimError('identity-rejected', 'no credentials');
    node.turnedAway('somewhere', reason);
    expect(refused).toStrictEqual([{ remote: 'somewhere', reason }]);
  });
});

/** A link whose orderly end never comes. */
class StuckLink extends ForwardingLink {
  #gone: () => void = () => undefined;

  override close(): Promise<void> {
    return new Promise((resolve) => (this.#gone = resolve));
  }

  protected override closed(handOn: () => void): void {
    handOn();
    this.#gone();
  }
}

describe('a node that is closed', () => {
  it('lets out what it has, ends links in order and takes no new ones', async () => {
    const { node, connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 1n));
    receiver.received();
    for (let sent = 0; sent < 3; sent += 1) await sender.send(publishTo(x));
    const closing = node.close();
    expect(node.snapshot().state).toBe('draining');
    const refused: string[] = [];
    node.on('refused', ({ reason }) => refused.push(reason.message));
    const [near, far] = memoryLinkPair();
    node.accept(far);
    const late = new LinkProbe(near);
    await closing;
    await late.ended();
    expect(receiver.received()).toHaveLength(3);
    expect([sender.probe.ends, receiver.probe.ends, late.ends]).toStrictEqual(
      Array(3).fill([undefined]),
    );
    expect(refused).toStrictEqual(['the node is closing']);
    expect(node.snapshot()).toMatchObject({ state: 'closed', links: [] });
  });

  it('cuts what is left at the deadline', async () => {
    const { clock, node } = setup();
    const [near, far] = memoryLinkPair();
    const probe = new LinkProbe(near);
    node.acceptLocal(new StuckLink(far));
    const closing = node.close({ deadlineMs: 700 });
    clock.advance(699);
    await turns();
    expect(probe.ends).toHaveLength(0);
    clock.advance(1);
    await closing;
    expect(node.snapshot()).toMatchObject({ state: 'closed', links: [] });
    expect(clock.pending).toBe(0);
  });
});
