import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadNameHash, RoutingNode } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { publishTo, subscribeTo, wireNameOf } from '../../libs/slim-core/src/testing/frames.js';
import { ManualClock } from '../../libs/slim-core/src/testing/manual-clock.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import { turns } from '../../libs/slim-core/src/testing/turns.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { subscriptionAck } from '../../libs/slim-core/src/wire/header.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { fromHex } from '../support/vectors.js';
import { HostileLink } from './hostile-link.js';

/** Hashes of one name, and the strings of another or none. */
const encodedPart = (name: WireName): Uint8Array =>
  name.bytes.subarray(0, 2 + (name.bytes[1] ?? 0));
const textPart = (name: WireName): Uint8Array => name.bytes.subarray(2 + (name.bytes[1] ?? 0));
const mixed = (hashes: WireName, strings?: WireName): WireName =>
  WireName.read(
    Buffer.concat([encodedPart(hashes), strings ? textPart(strings) : Buffer.alloc(0)]),
  );

let clock: ManualClock;
let node: RoutingNode;
let sender: NodeClient;
let receiver: NodeClient;
let hostile: HostileLink;
let target: WireName;
let own: WireName;

beforeAll(loadNameHash);
beforeEach(async () => {
  clock = new ManualClock();
  node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'node' });
  [sender, receiver] = [
    await NodeClient.connect(node, nodeCrypto),
    await NodeClient.connect(node, nodeCrypto),
  ];
  [target, own] = [wireNameOf('org/ns/receiver'), wireNameOf('org/ns/hostile')];
  await receiver.send(subscribeTo(target, 1n));
  receiver.received();
  hostile = new HostileLink(node);
  await hostile.negotiate('hostile', 'hostile', connectionType.edge);
});

/** Two clients beside notice nothing, and the link that did it is served as before. */
async function expectStanding(): Promise<void> {
  await turns();
  expect(receiver.received()).toStrictEqual([]);
  await sender.send(publishTo(target));
  expect(receiver.received()).toMatchObject([{ publish: { header: { ttl: 2 } } }]);
  hostile.probe.frames.length = 0;
  hostile.send(subscribeTo(own, 42n));
  await turns();
  const [answer] = hostile.probe.frames.map((bytes) => frame.decode(bytes));
  expect(answer).toMatchObject({ subscriptionAck: { id: 42n, success: true } });
}

describe('what panics or breaks an official node leaves ours standing', () => {
  it.each([
    { what: 'a message that says nothing', bytes: '' },
    { what: 'a message with nothing but metadata', bytes: '22050a016b1200' },
    { what: 'a message of a later version only', bytes: '7a020102' },
    { what: 'bytes that are no protobuf', bytes: 'ffffffffffffffffffffffff' },
    { what: 'a subscription without header', bytes: '0a021001' },
    { what: 'a publish without header', bytes: '1a00' },
    { what: 'a link message without negotiation', bytes: '2a00' },
    { what: 'an acknowledgement that nobody waits for', bytes: '320408071001' },
    { what: 'groups, which are no part of proto3', bytes: '0b0c' },
    { what: 'a field number beyond all that there are', bytes: 'f8ffffffff0f01' },
  ])('$what', async ({ bytes }) => {
    hostile.sendBytes(fromHex(bytes));
    await expectStanding();
    expect(hostile.probe.ends).toStrictEqual([]);
  });

  it('a subscription whose name has no strings', async () => {
    hostile.send(subscribeTo(mixed(wireNameOf('org/ns/bare')), 7n));
    await turns();
    hostile.send(publishTo(mixed(wireNameOf('org/ns/bare'))));
    await expectStanding();
    expect(node.routes(9)).toContainEqual(expect.objectContaining({ name: '' }));
  });

  it('a subscription with the strings of another name, of which replicas hear the right hashes', async () => {
    const peer = await NodeClient.connect(node, nodeCrypto, connectionType.peer);
    peer.received();
    const lying = mixed(wireNameOf('org/ns/bare'), target);
    hostile.send(subscribeTo(lying, 7n));
    await turns();
    const [told] = peer.received();
    expect(told?.subscribe?.header?.destination?.prefix).toBe(lying.prefix);
    clock.advance(1_000);
    await expectStandingWith(peer);
  });

  it('several subscriptions under id 0, of which the next link inherits none', async () => {
    const names = ['org/ns/a', 'org/ns/b', 'org/ns/c'].map(wireNameOf);
    for (const name of names) hostile.send(subscribeTo(name, 0n));
    await turns();
    expect(node.counters.subscriptions).toBe(4);
    await hostile.probe.link.close();
    hostile = new HostileLink(node);
    await hostile.negotiate('next', 'next', connectionType.edge);
    for (const name of names) await sender.send(publishTo(name));
    expect(hostile.probe.frames).toHaveLength(1);
    await expectStanding();
  });

  it('the subscription id of somebody else, which takes nothing from them', async () => {
    hostile.send(subscribeTo(own, 1n));
    await turns();
    hostile.probe.link.destroy(new Error('gone') as never);
    hostile = new HostileLink(node);
    await hostile.negotiate('next', 'next', connectionType.edge);
    await expectStanding();
    expect(node.counters.subscriptions).toBe(2);
  });

  it.each([0n, 1n, 2n, 3n, 99n])('recv_from and forward_to of link %d', async (other) => {
    hostile.send(subscribeTo(own, 7n, { receivedFrom: other, forwardTo: other }));
    hostile.send(publishTo(wireNameOf('org/ns/nobody'), { forwardTo: other, receivedFrom: other }));
    await turns();
    expect([sender.received(), receiver.received()]).toStrictEqual([[], []]);
    await expectStanding();
  });

  it('a second negotiation, as another kind of link', async () => {
    await hostile.negotiate('hostile', 'node', connectionType.peer);
    await expectStanding();
    expect(node.snapshot().links.map(({ kind }) => kind)).toStrictEqual(['edge', 'edge', 'edge']);
  });

  it('a replica that confirms nothing, for which no client waits twice', async () => {
    const peer = await NodeClient.connect(node, nodeCrypto, connectionType.peer);
    await sender.send(subscribeTo(wireNameOf('org/ns/first'), 5n));
    clock.advance(1_000);
    await turns();
    await sender.send(subscribeTo(wireNameOf('org/ns/second'), 6n));
    expect(sender.received().map(({ subscriptionAck: ack }) => ack?.id)).toStrictEqual([5n, 6n]);
    await expectStandingWith(peer);
  });

  it('a replica that is a link to itself', async () => {
    const self = new HostileLink(node);
    await self.negotiate('self', 'node', connectionType.peer);
    await self.probe.ended();
    expect(self.probe.ends).toMatchObject([{ code: 'refused' }]);
    await expectStanding();
  });

  it('a receiver that is gone, beside which all others get their copy', async () => {
    const more = await Promise.all([1, 2, 3].map(() => NodeClient.connect(node, nodeCrypto)));
    const room = wireNameOf('org/ns/room');
    for (const [at, client] of more.entries()) await client.send(subscribeTo(room, BigInt(at + 9)));
    for (const client of more) client.received();
    more[0]?.probe.link.destroy(new Error('gone') as never);
    await sender.send(publishTo(room, { fanout: 256 }));
    expect(more.map((client) => client.received().length)).toStrictEqual([0, 1, 1]);
    await expectStanding();
  });

  it('negative and doubled acknowledgements of a replica', async () => {
    const peer = await NodeClient.connect(node, nodeCrypto, connectionType.peer);
    await sender.send(subscribeTo(wireNameOf('org/ns/asked'), 5n));
    const id = peer.received().at(-1)?.subscribe?.id ?? 0n;
    const no = subscriptionAck.make({ id, error: 'no' });
    for (const ack of [no, no]) await peer.send(frame.make({ subscriptionAck: ack }));
    expect(sender.received()).toMatchObject([{ subscriptionAck: { id: 5n, success: true } }]);
    await expectStandingWith(peer);
  });
});

/** The same where a replica has to be told of what is subscribed. */
async function expectStandingWith(peer: NodeClient): Promise<void> {
  await peer.probe.link.close();
  await expectStanding();
}
