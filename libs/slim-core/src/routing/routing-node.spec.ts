import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { maxFrameBytes } from '../link/link.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { negotiationTimeoutMs } from '../link/negotiation.js';
import { loadNameHash } from '../names/name-hash.js';
import { nameId } from '../names/name-id.js';
import { publishTo, subscribeTo, unsubscribeFrom, wireNameOf } from '../testing/frames.js';
import { fromHex } from '../testing/hex.js';
import { LinkProbe } from '../testing/link-probe.js';
import { ManualClock } from '../testing/manual-clock.js';
import { NodeClient } from '../testing/node-client.js';
import { turns } from '../testing/turns.js';
import { frame, type Frame } from '../wire/frame.js';
import { fanout } from '../wire/header.js';
import { connectionType, linkNegotiation } from '../wire/link-message.js';
import { internName } from '../wire/wire-name.js';
import type { RoutingNodeOptions } from './node-options.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

const nothingDropped = {
  ...{ malformed: 0, 'header-mac': 0, ttl: 0, 'no-route': 0, 'too-large': 0 },
  ...{ duplicate: 0, overload: 0, limit: 0 },
};
const wrongTag = new Uint8Array(32).fill(1);
const noTag = new Uint8Array();

function setup(options: Partial<RoutingNodeOptions> = {}) {
  const clock = new ManualClock();
  const node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node', ...options });
  const connect = (type?: Parameters<typeof NodeClient.connect>[2]) =>
    NodeClient.connect(node, nodeCrypto, type);
  /** A link on which nothing was said yet. */
  const accept = () => {
    const [near, far] = memoryLinkPair();
    node.accept(far);
    return new LinkProbe(near);
  };
  /** The names of a service: any instance, and two of them. */
  const any = wireNameOf('org/ns/agent');
  const names = { any, x: any.withId(nameId(10n)), y: any.withId(nameId(20n)) };
  return { clock, node, connect, accept, ...names };
}

/** A client without a key, as a node accepts it that does not require header MACs. */
async function connectKeyless(accept: () => LinkProbe): Promise<LinkProbe> {
  const probe = accept();
  const negotiation = linkNegotiation.make({
    linkId: 'keyless',
    slimVersion: '2.3.0',
    connectionType: connectionType.edge,
  });
  probe.link.send(frame.encode(frame.make({ link: { negotiation } })));
  await turns();
  probe.frames.splice(0);
  return probe;
}

const acks = (messages: readonly Frame[]) => messages.map(({ subscriptionAck }) => subscriptionAck);
const ttls = (messages: readonly Frame[]) => messages.map(({ publish }) => publish?.header?.ttl);

describe('negotiation', () => {
  it('gives a link five seconds for its first frame', async () => {
    const { clock, node, accept } = setup();
    const probe = accept();
    clock.advance(negotiationTimeoutMs - 1);
    await turns();
    expect(probe.ends).toHaveLength(0);
    clock.advance(1);
    await probe.ended();
    expect(node.counters.connections).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind when it is done', async () => {
    const { clock, node, connect } = setup();
    await connect();
    expect(node.counters.connections).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind when the link ends before it', async () => {
    const { clock, accept } = setup();
    const probe = accept();
    await probe.link.close();
    await turns();
    expect(clock.pending).toBe(0);
  });

  it.each([
    { what: 'bytes that are no protobuf', bytes: () => fromHex('ff') },
    { what: 'an empty frame', bytes: () => fromHex('') },
    { what: 'a subscription', bytes: () => frame.encode(subscribeTo(wireNameOf('a/b/c'), 1n)) },
    { what: 'a publish', bytes: () => frame.encode(publishTo(wireNameOf('a/b/c'))) },
  ])('ends a link that begins with $what, without an answer', async ({ bytes }) => {
    const { clock, node, accept } = setup();
    const probe = accept();
    probe.link.send(bytes());
    await probe.ended();
    expect(probe.frames).toHaveLength(0);
    expect(node.counters).toMatchObject({ connections: 0, subscriptions: 0 });
    expect(clock.pending).toBe(0);
  });

  it('refuses a link without a key unless it is told to tolerate it', async () => {
    const strict = setup();
    const refused = await connectKeyless(strict.accept);
    expect(refused.ends).toHaveLength(1);
    const tolerant = setup({ requireHeaderMac: false });
    const accepted = await connectKeyless(tolerant.accept);
    expect(accepted.ends).toHaveLength(0);
  });

  it('ignores a second negotiation', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    const negotiation = linkNegotiation.make({ linkId: 'again', slimVersion: '2.3.0' });
    await client.send(frame.make({ link: { negotiation } }), subscribeTo(x, 1n));
    expect(acks(client.received())).toStrictEqual([{ id: 1n, success: true, error: '' }]);
    expect(node.counters.dropped).toStrictEqual(nothingDropped);
  });
});

describe('a subscription', () => {
  it('is confirmed under its id, also when it is repeated', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    const id = 2n ** 64n - 1n;
    await client.send(subscribeTo(x, id), subscribeTo(x, id));
    const ack = { id, success: true, error: '' };
    expect(acks(client.received())).toStrictEqual([ack, ack]);
    expect(node.counters.subscriptions).toBe(1);
  });

  it('under id 0 counts, but is not confirmed', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    await client.send(subscribeTo(x, 0n));
    expect(client.received()).toStrictEqual([]);
    expect(node.counters.subscriptions).toBe(1);
  });

  it('ends routing when it is taken back', async () => {
    const { connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 1n), unsubscribeFrom(x, 1n));
    await sender.send(publishTo(x));
    expect(acks(receiver.received())).toStrictEqual([
      { id: 1n, success: true, error: '' },
      { id: 1n, success: true, error: '' },
    ]);
  });

  it('that is not there cannot be taken back, and the client learns why', async () => {
    const { connect, x } = setup();
    const client = await connect();
    await client.send(unsubscribeFrom(x, 5n));
    expect(acks(client.received())).toStrictEqual([
      { id: 5n, success: false, error: 'subscription not found' },
    ]);
  });

  it('is refused in silence when its tag is missing or wrong', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    await client.send(
      subscribeTo(x, 1n, { headerMac: noTag }),
      subscribeTo(x, 2n, { headerMac: wrongTag }),
      unsubscribeFrom(x, 3n, { headerMac: wrongTag }),
    );
    expect(client.received()).toStrictEqual([]);
    expect(node.counters.subscriptions).toBe(0);
    expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, 'header-mac': 3 });
  });

  it.each([0, 1])('that arrives with ttl %d is dropped without an answer', async (ttl) => {
    const { node, connect, x } = setup();
    const client = await connect();
    await client.send(subscribeTo(x, 1n, { ttl }));
    expect(client.received()).toStrictEqual([]);
    expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, ttl: 1 });
  });

  it.each([{ source: undefined }, { destination: undefined }])(
    'with %p is malformed',
    async (header) => {
      const { node, connect, x } = setup();
      const client = await connect();
      await client.send(subscribeTo(x, 1n, header));
      expect(client.received()).toStrictEqual([]);
      expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, malformed: 1 });
    },
  );
});

describe('a publish', () => {
  it('reaches one of several receivers in turn', async () => {
    const { connect, any, x, y } = setup();
    const [sender, first, second] = [await connect(), await connect(), await connect()];
    await first.send(subscribeTo(x, 1n));
    await second.send(subscribeTo(y, 2n));
    first.received();
    second.received();
    await sender.send(publishTo(any), publishTo(any), publishTo(any));
    expect([first.received().length, second.received().length]).toStrictEqual([2, 1]);
  });

  it('to one instance reaches that instance only', async () => {
    const { connect, x, y } = setup();
    const [sender, first, second] = [await connect(), await connect(), await connect()];
    await first.send(subscribeTo(x, 1n));
    await second.send(subscribeTo(y, 2n));
    first.received();
    second.received();
    await sender.send(publishTo(y), publishTo(y));
    expect([first.received().length, second.received().length]).toStrictEqual([0, 2]);
  });

  it.each([fanout.all, 0, 2])('with fanout %d reaches all but its sender', async (copies) => {
    const { connect, any, x, y } = setup();
    const [sender, first, second] = [await connect(), await connect(), await connect()];
    await sender.send(subscribeTo(x, 1n));
    await first.send(subscribeTo(x, 2n), subscribeTo(y, 3n));
    await second.send(subscribeTo(y, 4n));
    for (const client of [sender, first, second]) client.received();
    await sender.send(publishTo(any, { fanout: copies }));
    const received = [sender, first, second].map((client) => client.received());
    expect(received.map(({ length }) => length)).toStrictEqual([0, 1, 1]);
    expect(received[1]?.[0]?.publish?.header?.fanout).toBe(copies);
  });

  it('arrives as it was sent, with one hop less and the tag of the last link', async () => {
    const { connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 1n));
    receiver.received();
    const signature = fromHex('c0ffee');
    const message = publishTo(x, { identity: 'me', headerSignature: signature, error: true });
    await sender.send({ ...message, metadata: new Map([['k', 'v']]) });
    const [arrived] = receiver.received();
    const header = arrived?.publish?.header;
    expect(header).toMatchObject({ identity: 'me', headerSignature: signature, ttl: 2 });
    expect(header && receiver.verifies(header)).toBe(true);
    expect(header && sender.verifies(header)).toBe(false);
    expect(arrived?.publish?.session).toStrictEqual(message.publish?.session);
    expect(arrived?.publish?.content).toStrictEqual(message.publish?.content);
    expect(arrived?.metadata).toStrictEqual(new Map([['k', 'v']]));
  });

  it('to many arrives everywhere with the tag of the last link, and with nothing of another', async () => {
    const { node, connect, x } = setup();
    const sender = await connect();
    const receivers = [await connect(), NodeClient.connectLocal(node), await connect()];
    for (const receiver of receivers) await receiver.send(subscribeTo(x, 0n));
    const message = publishTo(x, { fanout: fanout.all, identity: 'me' });
    await sender.send(message);
    const arrived = receivers.map((receiver) => receiver.received().at(-1)?.publish);
    expect(arrived.map((publish) => publish?.content)).toStrictEqual(
      receivers.map(() => message.publish?.content),
    );
    expect(arrived.map((publish) => publish?.header?.ttl)).toStrictEqual([2, 2, 2]);
    const verified = receivers.map((receiver, index) => {
      const header = arrived[index]?.header;
      return header && receiver.verifies(header);
    });
    expect(verified).toStrictEqual([true, true, true]);
    expect(arrived.map((publish) => publish?.header?.headerMac?.length)).toStrictEqual([
      32,
      undefined,
      32,
    ]);
  });

  it('arrives also when its frame begins with the metadata', async () => {
    const { node, x } = setup();
    const [sender, receiver] = [NodeClient.connectLocal(node), NodeClient.connectLocal(node)];
    await receiver.send(subscribeTo(x, 0n));
    sender.probe.link.send(
      Uint8Array.of(...fromHex('2206 0a016b 120176'), ...frame.encode(publishTo(x))),
    );
    await turns();
    expect(receiver.received()).toMatchObject([{ metadata: new Map([['k', 'v']]) }]);
  });

  it('keeps the order of its sender', async () => {
    const { connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    const fanouts = Array.from({ length: 300 }, (_, index) => index + 2);
    await sender.send(...fanouts.map((copies) => publishTo(x, { fanout: copies })));
    const arrived = receiver.received().map(({ publish }) => publish?.header?.fanout);
    expect(arrived).toStrictEqual(fanouts);
  });

  it.each([
    { what: 'nobody subscribed', header: {}, reason: 'no-route' },
    { what: 'it comes with ttl 0', header: { ttl: 0 }, reason: 'ttl' },
    { what: 'it comes with ttl 1', header: { ttl: 1 }, reason: 'ttl' },
    { what: 'its tag is missing', header: { headerMac: noTag }, reason: 'header-mac' },
    { what: 'its tag is wrong', header: { headerMac: wrongTag }, reason: 'header-mac' },
    { what: 'it has no source', header: { source: undefined }, reason: 'malformed' },
    { what: 'it has no destination', header: { destination: undefined }, reason: 'malformed' },
  ])('is dropped in silence when $what', async ({ header, reason }) => {
    const { node, connect, x, y } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(reason === 'no-route' ? y : x, 0n));
    await sender.send(publishTo(x, header));
    expect([...sender.received(), ...receiver.received()]).toStrictEqual([]);
    expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, [reason]: 1 });
    expect(node.counters.forwarded).toBe(0);
  });

  it('that comes with ttl 2 arrives with 1', async () => {
    const { connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    await sender.send(publishTo(x, { ttl: 2 }));
    expect(ttls(receiver.received())).toStrictEqual([1]);
  });

  it('of an application in the process costs no hop', async () => {
    const { node, connect, x } = setup();
    const [sender, receiver] = [NodeClient.connectLocal(node), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    await sender.send(publishTo(x, { ttl: 8 }));
    const [arrived] = receiver.received();
    expect(arrived?.publish?.header?.ttl).toBe(8);
    expect(arrived?.publish?.header && receiver.verifies(arrived.publish.header)).toBe(true);
  });

  it('that would be too large with what the node adds is dropped', async () => {
    const { node, connect, x } = setup();
    const [sender, receiver] = [NodeClient.connectLocal(node), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    const message = publishTo(x);
    const fill = (length: number): Frame => {
      const blob = new Uint8Array(length);
      const content = { application: { payloadType: 'msg', blob }, command: undefined };
      return { ...message, publish: message.publish && { ...message.publish, content } };
    };
    const overhead = frame.encode(fill(3_000_000)).length - 3_000_000;
    await sender.send(fill(maxFrameBytes - overhead));
    expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, 'too-large': 1 });
    await sender.send(fill(maxFrameBytes - overhead - 34));
    expect(receiver.probe.frames.map(({ length }) => length)).toStrictEqual([maxFrameBytes]);
  });
});

// Reference: data plane 7.3, in its order.
describe('the defects of native nodes', () => {
  it.each([
    { what: 'with nothing in it', bytes: '' },
    { what: 'of a later version only', bytes: '7a 00' },
    { what: 'with metadata only', bytes: '22 03 0a016b' },
    { what: 'that is no protobuf', bytes: 'ff ff' },
    { what: 'with an empty publish', bytes: '1a 00' },
    { what: 'with an empty subscription', bytes: '0a 00' },
  ])('1: a message $what is dropped and the link goes on', async ({ bytes }) => {
    const { node, connect, x } = setup();
    const client = await connect();
    client.probe.link.send(fromHex(bytes));
    await client.send(subscribeTo(x, 1n));
    expect(acks(client.received())).toStrictEqual([{ id: 1n, success: true, error: '' }]);
    expect(node.counters.dropped).toStrictEqual({ ...nothingDropped, malformed: 1 });
  });

  it('1: a subscription without strings is one like any other', async () => {
    const { node, connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    // The name without its second field, which is the strings.
    const bytes = x.bytes.subarray(0, 2 + (x.bytes[1] ?? 0));
    await receiver.send(subscribeTo(internName(bytes), 0n));
    await sender.send(publishTo(x));
    expect(receiver.received()).toHaveLength(1);
    expect(node.counters.dropped).toStrictEqual(nothingDropped);
  });

  it('2: all subscriptions under id 0 end with their link, and nobody inherits them', async () => {
    const { node, connect, x, y } = setup();
    const [sender, leaving] = [await connect(), await connect()];
    await leaving.send(subscribeTo(x, 0n), subscribeTo(y, 0n));
    await leaving.probe.link.close();
    await turns();
    const next = await connect();
    await sender.send(publishTo(x), publishTo(y));
    expect(next.received()).toStrictEqual([]);
    expect(node.counters).toMatchObject({ subscriptions: 0, dropped: { 'no-route': 2 } });
  });

  it('2: a link that ends does not take along what another one subscribed under its id', async () => {
    const { connect, x } = setup();
    const [sender, old, renewed] = [await connect(), await connect(), await connect()];
    await old.send(subscribeTo(x, 7n));
    await renewed.send(subscribeTo(x, 7n));
    renewed.received();
    await old.probe.link.close();
    await turns();
    await sender.send(publishTo(x));
    expect(renewed.received()).toHaveLength(1);
  });

  it('3: no client can take back the subscription of another one', async () => {
    const { connect, x } = setup();
    const [sender, owner, thief] = [await connect(), await connect(), await connect()];
    await owner.send(subscribeTo(x, 7n));
    owner.received();
    await thief.send(unsubscribeFrom(x, 7n));
    expect(acks(thief.received())).toMatchObject([{ id: 7n, success: false }]);
    await sender.send(publishTo(x));
    expect(owner.received()).toHaveLength(1);
  });

  it('4: nobody can subscribe on behalf of another connection', async () => {
    const { connect, x } = setup();
    const [sender, victim, attacker] = [await connect(), await connect(), await connect()];
    for (const number of [1n, 2n])
      await attacker.send(subscribeTo(x, number, { receivedFrom: number }));
    attacker.received();
    await sender.send(publishTo(x), publishTo(x));
    expect([victim.received().length, attacker.received().length]).toStrictEqual([0, 2]);
  });

  it('4: nobody can send to a connection that did not subscribe', async () => {
    const { node, connect, x } = setup();
    const [victim, attacker] = [await connect(), await connect()];
    for (const number of [0n, 1n, 2n]) {
      await attacker.send(
        publishTo(x, { forwardTo: number }),
        subscribeTo(x, 0n, { forwardTo: number }),
      );
    }
    expect(victim.received()).toStrictEqual([]);
    expect(node.counters.forwarded).toBe(0);
  });

  it('4: the flags of one hop end at the node', async () => {
    const { connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    await sender.send(publishTo(x, { receivedFrom: 7n, forwardTo: 8n, incomingConnection: 9n }));
    expect(receiver.received()).toMatchObject([
      {
        publish: {
          header: {
            receivedFrom: undefined,
            forwardTo: undefined,
            incomingConnection: undefined,
          },
        },
      },
    ]);
  });

  it('5: a tag is not passed on to a link that has no key', async () => {
    const { accept, connect, x } = setup({ requireHeaderMac: false });
    const [sender, receiver] = [await connect(), await connectKeyless(accept)];
    receiver.link.send(frame.encode(subscribeTo(x, 0n)));
    await sender.send(publishTo(x));
    const arrived = receiver.frames.map((bytes) => frame.decode(bytes).publish?.header?.headerMac);
    expect(arrived).toStrictEqual([undefined]);
  });

  it('5: a link to a replica carries no tags, in either direction', async () => {
    const { connect, x, y } = setup();
    const [peer, edge] = [await connect(connectionType.peer), await connect()];
    await peer.send(subscribeTo(x, 1n));
    await edge.send(subscribeTo(y, 1n));
    for (const client of [peer, edge]) client.received();
    await edge.send(publishTo(x));
    await peer.send(publishTo(y));
    const [toPeer, toEdge] = [peer, edge].map((client) => client.received()[0]?.publish?.header);
    expect(toPeer && toPeer.headerMac).toBeUndefined();
    expect(toEdge && edge.verifies(toEdge)).toBe(true);
  });
});

describe('a receiver that does not read', () => {
  it('makes its sender wait, and gets everything once it reads again', async () => {
    const { node, connect, x } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    receiver.probe.link.pause();
    const message = publishTo(x);
    for (let sent = 0; sent < 10; sent += 1) await sender.send(...Array(200).fill(message));
    const { forwarded } = node.counters;
    expect(forwarded).toBeLessThan(1_000);
    await sender.send(message);
    expect(node.counters.forwarded).toBe(forwarded);

    receiver.probe.link.resume();
    await turns();
    expect(receiver.received()).toHaveLength(2_001);
  });

  it('does not hold up who sends to others', async () => {
    const { connect, x, y } = setup();
    const [blocked, free] = [await connect(), await connect()];
    const [slow, fast] = [await connect(), await connect()];
    await slow.send(subscribeTo(x, 0n));
    await fast.send(subscribeTo(y, 0n));
    slow.probe.link.pause();
    await blocked.send(...Array(1_500).fill(publishTo(x)));
    await free.send(publishTo(y));
    expect(fast.received()).toHaveLength(1);
  });

  it('lets its sender go on when it goes away', async () => {
    const { connect, x, y } = setup();
    const [sender, slow, fast] = [await connect(), await connect(), await connect()];
    await slow.send(subscribeTo(x, 0n));
    await fast.send(subscribeTo(y, 0n));
    slow.probe.link.pause();
    await sender.send(...Array(1_500).fill(publishTo(x)), publishTo(y));
    expect(fast.received()).toHaveLength(0);
    await slow.probe.link.close();
    await turns();
    expect(fast.received()).toHaveLength(1);
  });

  it('keeps its sender waiting while another receiver is full too', async () => {
    const { node, connect, any, x, y } = setup();
    const [sender, first, second] = [await connect(), await connect(), await connect()];
    await first.send(subscribeTo(x, 0n));
    await second.send(subscribeTo(y, 0n));
    for (const { probe } of [first, second]) probe.link.pause();
    await sender.send(...Array(1_500).fill(publishTo(any, { fanout: fanout.all })));
    const { received } = node.counters;
    first.probe.link.resume();
    await turns();
    expect(node.counters.received).toBe(received);
    second.probe.link.resume();
    await turns();
    expect([first.received().length, second.received().length]).toStrictEqual([1_500, 1_500]);
  });

  it('of its own confirmations is not read from', async () => {
    const { node, connect, x } = setup();
    const client = await connect();
    client.probe.link.pause();
    for (let sent = 0; sent < 10; sent += 1) {
      await client.send(...Array(200).fill(subscribeTo(x, 1n)));
    }
    expect(node.counters.received).toBeLessThan(1_000);
    client.probe.link.resume();
    await turns();
    expect(client.received()).toHaveLength(2_000);
  });
});

describe('RoutingNode', () => {
  it('counts what it has, what it received and what it forwarded', async () => {
    const { node, connect, x, y } = setup();
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 1n), subscribeTo(x, 2n), subscribeTo(y, 3n));
    await sender.send(publishTo(x), publishTo(y));
    const { receivedBytes, forwardedBytes, ...counters } = node.counters;
    expect(counters).toStrictEqual({
      connections: 2,
      subscriptions: 2,
      // Two negotiations, three subscriptions, two publishes.
      received: 7,
      forwarded: 2,
      refused: 0,
      dropped: nothingDropped,
    });
    expect(receivedBytes).toBeGreaterThan(forwardedBytes);
    expect(forwardedBytes).toBeGreaterThan(200);
  });

  it('shows every frame that it forwards', async () => {
    const seen: Uint8Array[] = [];
    const { connect, x } = setup({ onForward: (bytes) => seen.push(bytes) });
    const [sender, receiver] = [await connect(), await connect()];
    await receiver.send(subscribeTo(x, 0n));
    await sender.send(publishTo(x));
    expect(seen).toStrictEqual(receiver.probe.frames);
    expect(seen).toHaveLength(1);
  });

  it('ends every link when it is closed, also those that come later', async () => {
    const { clock, node, connect, accept } = setup();
    const clients = [(await connect()).probe, NodeClient.connectLocal(node).probe, accept()];
    await Promise.all([node.close(), node.close()]);
    clients.push(accept());
    await turns();
    expect(clients.map(({ ends }) => ends)).toStrictEqual(Array(4).fill([undefined]));
    expect(node.counters.connections).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
