import { beforeAll, describe, expect, it } from '@jest/globals';
import { RoutingNode, loadNameHash, memoryLinkPair } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { publishTo, subscribeTo } from '../../libs/slim-core/src/testing/frames.js';
import { LinkProbe } from '../../libs/slim-core/src/testing/link-probe.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import { turns } from '../../libs/slim-core/src/testing/turns.js';
import { frame, type Frame } from '../../libs/slim-core/src/wire/frame.js';
import type { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { fromHex, readFrameVector } from '../support/vectors.js';
import { inFull, toProtoJson } from './proto-json.js';
import { recordedCrypto } from './recorded-key.js';

beforeAll(loadNameHash);

/** A node that agrees on the keys of a recording, and an application inside it that receives. */
async function setup(negotiation: string) {
  const { link } = readFrameVector(negotiation);
  const { crypto } = recordedCrypto(link?.server_private_key ?? '');
  const node = new RoutingNode({ crypto, clock: new ManualClock(), nodeId: 'node' });
  const [near, far] = memoryLinkPair();
  node.accept(far);
  const client = new LinkProbe(near);
  const receiver = NodeClient.connectLocal(node);
  /** Plays a recorded frame, and returns what the client gets for it. */
  const play = async (name: string): Promise<Frame[]> => {
    near.send(fromHex(readFrameVector(name).hex));
    await turns();
    return client.frames.splice(0).map((bytes) => frame.decode(bytes));
  };
  const answers = await play(negotiation);
  expect(answers).toMatchObject([{ link: { negotiation: { isReply: true } } }]);
  return { client, node, receiver, play };
}

const destinationOf = (name: string): WireName => {
  const { publish, subscribe } = frame.decode(fromHex(readFrameVector(name).hex));
  const destination = (publish ?? subscribe)?.header?.destination;
  if (!destination) throw new Error(`${name} has no destination`);
  return destination;
};

const ofAlice = [
  'p2p-06-alice-discovery-request',
  'p2p-08-alice-join-request',
  'p2p-10-alice-group-welcome',
  'p2p-12-alice-msg',
  'p2p-15-alice-msg-ack',
  'p2p-16-alice-group-close',
];

describe('a node, with the frames of a native client', () => {
  it('confirms its subscription under its id', async () => {
    const { node, play } = await setup('client-01-link-negotiation');
    const { subscribe } = frame.decode(fromHex(readFrameVector('client-03-subscribe').hex));
    expect(await play('client-03-subscribe')).toMatchObject([
      { subscriptionAck: { id: subscribe?.id, success: true, error: '' } },
    ]);
    expect(node.counters).toMatchObject({ subscriptions: 1 });
  });

  it.each(ofAlice)('delivers its %s with one hop less and nothing else changed', async (name) => {
    const { receiver, play } = await setup('client-01-link-negotiation');
    await receiver.send(subscribeTo(destinationOf('p2p-12-alice-msg'), 0n));
    expect(await play(name)).toStrictEqual([]);
    const sent = frame.decode(fromHex(readFrameVector(name).hex));
    const hop = { ttl: 7, incomingConnection: undefined, headerMac: undefined };
    const publish = sent.publish?.header && {
      ...sent.publish,
      header: { ...sent.publish.header, ...hop },
    };
    expect(receiver.received().map((message) => toProtoJson(message, inFull))).toStrictEqual([
      toProtoJson({ ...sent, publish }, inFull),
    ]);
  });

  it('routes what it replays after a reconnection, under id 0 and without an answer', async () => {
    const { client, node, receiver, play } = await setup('reconnect-01-link-negotiation');
    expect(await play('reconnect-02-subscribe')).toStrictEqual([]);
    expect(node.counters.subscriptions).toBe(1);
    const name = destinationOf('reconnect-02-subscribe');
    await receiver.send(publishTo(name));
    expect(
      client.frames.map((bytes) => frame.decode(bytes).publish?.header?.destination),
    ).toStrictEqual([name]);
  });

  it('drops its frames on a link with another key', async () => {
    const { node, play } = await setup('client-01-link-negotiation');
    expect(await play('client-unsubscribe')).toStrictEqual([]);
    await play('p2p-14-bob-msg');
    expect(node.counters.dropped).toMatchObject({ 'header-mac': 2 });
  });
});
