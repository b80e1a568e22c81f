import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { publishTo, subscribeTo, unsubscribeFrom, wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { NodeClient } from '../testing/node-client.js';
import { turns } from '../testing/turns.js';
import { frame, type Frame } from '../wire/frame.js';
import { fanout, slimVersion, subscriptionAck } from '../wire/header.js';
import { connectionType } from '../wire/link-message.js';
import { internName } from '../wire/wire-name.js';
import type { RoutingNodeOptions } from './node-options.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

const peerAckMs = 500;

function setup(options: Partial<RoutingNodeOptions> = {}) {
  const clock = new ManualClock();
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node', ...options });
  const edge = () => NodeClient.connect(node, nodeCrypto);
  const peer = () => NodeClient.connect(node, nodeCrypto, connectionType.peer);
  const any = wireNameOf('org/ns/agent');
  return { clock, node, edge, peer, x: any.withId(nameId(10n)), y: any.withId(nameId(20n)) };
}

/** What a link was told of subscriptions: verb, instance, hops, and under which id. */
function told(client: NodeClient) {
  return client.received().flatMap(({ subscribe, unsubscribe }) => {
    const body = subscribe ?? unsubscribe;
    const verb = subscribe ? 'subscribe' : 'unsubscribe';
    if (!body) return [];
    const { header, id } = body;
    return [{ verb, instance: header?.destination?.id, ttl: header?.ttl, id }];
  });
}

const acked = (client: NodeClient) =>
  client.received().flatMap(({ subscriptionAck: ack }) => (ack ? [ack.id] : []));

const ack = (id: bigint): Frame =>
  frame.make({ subscriptionAck: subscriptionAck.make({ id, success: true }) });

describe('a replica', () => {
  it('is told of a name in the form that official nodes use', async () => {
    const { edge, peer, x } = setup();
    const replica = await peer();
    const app = await edge();
    await app.send(subscribeTo(x, 7n, { identity: 'token' }));
    const [message] = replica.received();
    const { header, id } = message?.subscribe ?? {};
    expect(header).toMatchObject({
      ...{ identity: '', fanout: fanout.one, ttl: 8, version: slimVersion },
      ...{ headerMac: undefined, incomingConnection: undefined, forwardTo: undefined },
    });
    expect([header?.source?.text, header?.destination?.text]).toStrictEqual([x.text, x.text]);
    expect(id).not.toBe(0n);
  });

  it.each([
    { what: 'linked each with each', options: { peers: {} }, ttl: 2 },
    { what: 'linked in any way', options: {}, ttl: 8 },
  ])('is told with ttl $ttl among those that are $what', async ({ options, ttl }) => {
    const { edge, peer, x } = setup(options);
    const [replica, app] = [await peer(), await edge()];
    await app.send(subscribeTo(x, 7n));
    expect(told(replica)).toMatchObject([{ verb: 'subscribe', ttl }]);
  });

  it('hears once of a name that several have, and of its end when the last one goes', async () => {
    const { edge, peer, x } = setup();
    const [replica, first, second] = [await peer(), await edge(), await edge()];
    await first.send(subscribeTo(x, 1n));
    const [{ id } = { id: 0n }] = told(replica);
    await second.send(subscribeTo(x, 1n));
    await first.send(unsubscribeFrom(x, 1n));
    expect(told(replica)).toStrictEqual([]);
    await second.probe.link.close();
    await turns();
    expect(told(replica)).toStrictEqual([{ verb: 'unsubscribe', instance: x.id, ttl: 8, id }]);
  });

  it('is told everything when it comes, but for what it said itself', async () => {
    const { node, edge, peer, x, y } = setup();
    const [app, other] = [await edge(), await peer()];
    await app.send(subscribeTo(x, 1n), subscribeTo(y, 0n));
    await other.send(subscribeTo(wireNameOf('org/ns/remote'), 99n, { ttl: 8 }));
    const replica = await peer();
    await turns();
    const [first, second, third, ...rest] = told(replica);
    expect([first?.instance, second?.instance]).toStrictEqual([x.id, y.id]);
    expect(third).toMatchObject({ id: 99n, ttl: 7 });
    expect(rest).toStrictEqual([]);
    expect(told(other).map(({ instance }) => instance)).toStrictEqual([x.id, y.id]);
    await node.close();
  });

  it.each([
    { ttl: 8, relayed: [7] },
    { ttl: 3, relayed: [2] },
    { ttl: 2, relayed: [] },
  ])('passes on with one hop less what comes with ttl $ttl', async ({ ttl, relayed }) => {
    const { peer, x } = setup();
    const [from, to] = [await peer(), await peer()];
    await from.send(subscribeTo(x, 5n, { ttl }));
    expect(told(to).map((one) => one.ttl)).toStrictEqual(relayed);
    await from.send(unsubscribeFrom(x, 5n, { ttl }));
    expect(told(to).map(({ verb, id }) => [verb, id])).toStrictEqual(
      relayed.map(() => ['unsubscribe', 5n]),
    );
  });

  it('that goes away takes along what it said, at once and for everybody', async () => {
    const { clock, node, peer, x, y } = setup();
    const [from, to] = [await peer(), await peer()];
    await from.send(subscribeTo(x, 5n, { ttl: 8 }), subscribeTo(y, 6n, { ttl: 8 }));
    await to.send(ack(5n), ack(6n));
    told(to);
    await from.probe.link.close();
    await turns();
    expect(told(to).map(({ verb, id }) => [verb, id])).toStrictEqual([
      ['unsubscribe', 5n],
      ['unsubscribe', 6n],
    ]);
    expect(node.routes(10)).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('may take back a name under another id than at first, as official ones do', async () => {
    const { node, peer, x } = setup();
    const [from, to] = [await peer(), await peer()];
    await from.send(subscribeTo(x, 7_003n, { ttl: 8 }), unsubscribeFrom(x, 7_004n, { ttl: 8 }));
    expect(acked(from)).toContain(7_004n);
    expect(told(to).map(({ verb, id }) => [verb, id])).toStrictEqual([
      ['subscribe', 7_003n],
      ['unsubscribe', 7_003n],
    ]);
    expect(node.routes(10)).toStrictEqual([]);
  });

  it('may use id 0 for several names, as official ones do after their clients reconnected', async () => {
    const { node, peer, x, y } = setup();
    const [from, to] = [await peer(), await peer()];
    await from.send(subscribeTo(x, 0n, { ttl: 8 }), subscribeTo(y, 0n, { ttl: 8 }));
    const ids = told(to).map(({ id }) => id);
    expect(new Set([0n, ...ids]).size).toBe(3);
    await from.send(unsubscribeFrom(x, 0n, { ttl: 8 }));
    expect(told(to)).toMatchObject([{ verb: 'unsubscribe', instance: x.id, id: ids[0] }]);
    expect(node.routes(10)).toHaveLength(1);
  });

  it('that brings what came by another way is answered, and not sent to', async () => {
    const { edge, peer, x } = setup();
    const [first, second, app] = [await peer(), await peer(), await edge()];
    await first.send(subscribeTo(x, 5n, { ttl: 8 }));
    await second.send(ack(5n), subscribeTo(x, 5n, { ttl: 7 }));
    expect(acked(second)).toStrictEqual([5n]);
    first.received();
    await app.send(publishTo(x, { fanout: fanout.all }));
    expect([first.received().length, second.received().length]).toStrictEqual([1, 0]);
  });

  it('that lost what is known by another way is told again', async () => {
    const { peer, x } = setup();
    const [first, second] = [await peer(), await peer()];
    await first.send(subscribeTo(x, 5n, { ttl: 8 }));
    told(second);
    await second.send(unsubscribeFrom(x, 5n, { ttl: 8 }));
    expect(told(second)).toMatchObject([{ verb: 'subscribe', id: 5n, ttl: 7 }]);
  });

  it('is not told of names without strings, which official nodes cannot take', async () => {
    const { clock, edge, peer, x } = setup();
    const [replica, app] = [await peer(), await edge()];
    await app.send(subscribeTo(internName(x.bytes.subarray(0, 2 + (x.bytes[1] ?? 0))), 1n));
    expect(told(replica)).toStrictEqual([]);
    expect(acked(app)).toStrictEqual([1n]);
    expect(clock.pending).toBe(0);
  });

  it('is told of names without strings once somebody gives strings of their service', async () => {
    const { edge, peer, x, y } = setup();
    const [replica, app, other] = [await peer(), await edge(), await edge()];
    const nameless = internName(x.bytes.subarray(0, 2 + (x.bytes[1] ?? 0)));
    await app.send(subscribeTo(nameless, 1n));
    await other.send(subscribeTo(y, 2n));
    const instances = told(replica).map(({ verb, instance }) => [verb, instance]);
    expect(instances).toStrictEqual([
      ['subscribe', x.id],
      ['subscribe', y.id],
    ]);
    await app.send(unsubscribeFrom(nameless, 1n));
    expect(told(replica)).toMatchObject([{ verb: 'unsubscribe', instance: x.id }]);
  });

  it('is told of a name without strings once another replica gives them', async () => {
    const { edge, peer, x } = setup();
    const [replica, from, app] = [await peer(), await peer(), await edge()];
    await app.send(subscribeTo(internName(x.bytes.subarray(0, 2 + (x.bytes[1] ?? 0))), 1n));
    await from.send(subscribeTo(x, 5n, { ttl: 2 }));
    expect(told(replica)).toMatchObject([{ verb: 'subscribe', instance: x.id, ttl: 8 }]);
  });

  it('of a full mesh is told nothing that another one said, whatever hops are left', async () => {
    const { clock, edge, peer, x, y } = setup({ peers: {} });
    const [from, to, app] = [await peer(), await peer(), await edge()];
    await from.send(subscribeTo(x, 5n, { ttl: 8 }));
    expect(acked(from)).toStrictEqual([5n]);
    const late = await peer();
    await from.send(unsubscribeFrom(x, 5n, { ttl: 8 }));
    await app.send(subscribeTo(y, 1n));
    for (const one of [to, late]) {
      expect(told(one).map(({ instance }) => instance)).toStrictEqual([y.id]);
    }
    for (const one of [from, to, late]) await one.probe.link.close();
    await turns();
    expect(clock.pending).toBe(0);
  });

  /** A replica that reads nothing until it is full, with names that it has to be told of all the same. */
  async function slowReplica() {
    const base = setup();
    const [replica, app] = [await base.peer(), await base.edge()];
    replica.probe.link.pause();
    const names = Array.from({ length: 600 }, (_, index) => wireNameOf(`org/ns/n${index}`));
    await app.send(...names.map((name) => subscribeTo(name, 0n)));
    const instances = async () => {
      replica.probe.link.resume();
      await turns();
      return told(replica).map(({ verb, instance }) => [verb, instance]);
    };
    const before = names.map((name) => ['subscribe', name.id]);
    return { ...base, replica, app, instances, before };
  }

  it('that does not read is not told of what came and went meanwhile', async () => {
    const { app, instances, before, peer, x, y } = await slowReplica();
    const from = await peer();
    for (let id = 1n; id <= 100n; id += 1n) {
      await app.send(subscribeTo(x, id), unsubscribeFrom(x, id));
      await from.send(subscribeTo(y, id, { ttl: 8 }), unsubscribeFrom(y, id, { ttl: 8 }));
    }
    expect(acked(from)).toHaveLength(200);
    expect(await instances()).toStrictEqual(before);
  });

  it('that does not read is told of the end of what it was told of, however often that changed', async () => {
    const { replica, app, instances, before, peer, x } = await slowReplica();
    const from = await peer();
    replica.probe.link.resume();
    await from.send(subscribeTo(x, 5n, { ttl: 8 }));
    told(replica);
    replica.probe.link.pause();
    await app.send(...before.map((_, index) => subscribeTo(wireNameOf(`org/ns/m${index}`), 0n)));
    const cycle = [unsubscribeFrom(x, 5n, { ttl: 8 }), subscribeTo(x, 5n, { ttl: 8 })];
    await from.send(...cycle, ...cycle, unsubscribeFrom(x, 5n, { ttl: 8 }));
    const last = await instances();
    expect(last.filter(([, instance]) => instance === x.id)).toStrictEqual([['unsubscribe', x.id]]);
  });

  it('that does not read is told later, and nothing of it is shed', async () => {
    const { node, edge, peer } = setup();
    const [replica, app] = [await peer(), await edge()];
    replica.probe.link.pause();
    const names = Array.from({ length: 2_000 }, (_, index) => wireNameOf(`org/ns/n${index}`));
    await app.send(...names.map((name, index) => subscribeTo(name, BigInt(index + 1))));
    replica.probe.link.resume();
    await turns();
    expect(told(replica)).toHaveLength(2_000);
    expect(node.counters.dropped.overload).toBe(0);
  });
});

describe('a subscriber', () => {
  it('is answered once all replicas have answered', async () => {
    const { clock, edge, peer, x } = setup();
    const [one, two, app] = [await peer(), await peer(), await edge()];
    await app.send(subscribeTo(x, 7n));
    const [{ id } = { id: 0n }] = told(one);
    await one.send(ack(id));
    expect(acked(app)).toStrictEqual([]);
    await two.send(ack(id));
    expect(acked(app)).toStrictEqual([7n]);
    expect(clock.pending).toBe(0);
  });

  it('waits a bounded time for a replica that is silent, and the next one not at all', async () => {
    const { clock, edge, peer, x, y } = setup();
    const [silent, app] = [await peer(), await edge()];
    await app.send(subscribeTo(x, 7n));
    clock.advance(peerAckMs - 1);
    await turns();
    expect(acked(app)).toStrictEqual([]);
    clock.advance(1);
    await turns();
    expect(acked(app)).toStrictEqual([7n]);
    await app.send(subscribeTo(y, 8n));
    expect(acked(app)).toStrictEqual([8n]);
    const [, { id } = { id: 0n }] = told(silent);
    await silent.send(ack(id));
    await app.send(subscribeTo(wireNameOf('org/ns/other'), 9n));
    expect(acked(app)).toStrictEqual([]);
  });

  it('does not wait for a replica that goes away', async () => {
    const { clock, edge, peer, x } = setup();
    const [replica, app] = [await peer(), await edge()];
    await app.send(subscribeTo(x, 7n));
    await replica.probe.link.close();
    await turns();
    expect(acked(app)).toStrictEqual([7n]);
    expect(clock.pending).toBe(0);
  });
});

describe('a message of a replica', () => {
  it.each([
    { what: 'is passed on to another one', options: {}, copies: 1 },
    { what: 'stays here in a full mesh', options: { peers: {} }, copies: 0 },
  ])('$what', async ({ options, copies }) => {
    const { peer, x } = setup(options);
    const [from, to] = [await peer(), await peer()];
    await to.send(subscribeTo(x, 5n, { ttl: 8 }));
    to.received();
    for (const many of [fanout.one, fanout.all]) {
      await from.send(publishTo(x, { fanout: many }));
      expect(to.received().filter(({ publish }) => publish)).toHaveLength(copies);
    }
  });

  it('goes to our own before other replicas, so that it does not go round', async () => {
    const { edge, peer, x, y } = setup();
    const [from, other, app] = [await peer(), await peer(), await edge()];
    await other.send(subscribeTo(x, 5n, { ttl: 8 }));
    await app.send(subscribeTo(y, 6n));
    for (const client of [other, app]) client.received();
    await from.send(publishTo(wireNameOf('org/ns/agent')));
    expect([other.received().length, app.received().length]).toStrictEqual([0, 1]);
  });

  it('to many that comes by a second way ends there, but not when it is repeated', async () => {
    const { clock, node, edge, peer, x } = setup();
    const [one, two, app] = [await peer(), await peer(), await edge()];
    await app.send(subscribeTo(x, 6n));
    const copies = (): number => app.received().filter(({ publish }) => publish).length;
    const message = publishTo(x, { fanout: fanout.all });
    copies();
    await one.send(message);
    await two.send(message);
    expect(copies()).toBe(1);
    expect(node.counters.dropped.duplicate).toBe(1);
    await one.send(message);
    expect(copies()).toBe(1);
    clock.advance(1_000);
    await two.send(message);
    expect(copies()).toBe(1);
    await one.send(message);
    await one.probe.link.close();
    await turns();
    await two.send(message);
    expect(copies()).toBe(1);
  });

  it('whose names are too long to be kept comes as often as it is sent', async () => {
    const { node, edge, peer, x } = setup();
    const [one, two, app] = [await peer(), await peer(), await edge()];
    await app.send(subscribeTo(x, 6n));
    app.received();
    const source = wireNameOf(`org/ns/${'x'.repeat(1_024)}`);
    for (const from of [one, two]) await from.send(publishTo(x, { source, fanout: fanout.all }));
    expect(app.received().filter(({ publish }) => publish)).toHaveLength(2);
    expect(node.counters.dropped.duplicate).toBe(0);
  });
});
