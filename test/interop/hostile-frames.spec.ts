import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret, type Session, type SlimApp as App } from '@nestjs-slim/core';
import { http2Dialler, nodeCrypto, SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import type { HeaderMac } from '../../libs/slim-core/src/link/header-mac.js';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { publishTo, subscribeTo, wireNameOf } from '../../libs/slim-core/src/testing/frames.js';
import { LinkProbe } from '../../libs/slim-core/src/testing/link-probe.js';
import { frame, type Frame } from '../../libs/slim-core/src/wire/frame.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { NativePeer, type NativeSession } from '../support/native-peer.js';
import { texts } from '../support/sessions.js';
import { fromHex } from '../support/vectors.js';

const secret = 'interop-tests-share-this-secret-of-40-bytes';

let node: SlimNode;
let official: NativePeer;
let ours: App;
let session: Session;
let native: NativeSession;

beforeAll(async () => {
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  official = await NativePeer.start();
  await official.connect(node.url ?? '');
  await official.app({ name: 'org/ns/official', secret });
  const identity = sharedSecret({ secret });
  ours = await SlimApp.connect({ name: 'org/ns/ours', identity, node: node.url ?? '' });
  const accepted = official.accept();
  session = await ours.openSession('org/ns/official');
  native = await accepted;
}, 30_000);

afterAll(async () => {
  await ours.close();
  await official.stop();
  await node.close();
});

/** A link to the node that has negotiated and keeps to no other rule. */
async function hostileLink() {
  const link = await http2Dialler(node.url ?? '').dial(AbortSignal.timeout(5_000));
  const probe = new LinkProbe(link);
  const request = new NegotiationRequest(nodeCrypto, 'hostile', 'hostile', connectionType.edge);
  link.send(request.frame);
  await probe.received(1);
  const { mac } = request.complete(probe.frames.shift() ?? new Uint8Array());
  return { link, probe, mac };
}

function signed(message: Frame, mac: HeaderMac | undefined): Uint8Array {
  const { publish, subscribe } = message;
  const header = publish?.header ?? subscribe?.header;
  const tagged = header && { ...header, headerMac: mac?.tag(header) };
  return frame.encode({
    ...message,
    publish: publish && { ...publish, header: tagged },
    subscribe: subscribe && { ...subscribe, header: tagged },
  });
}

/** The name with its hashes only. */
function withoutStrings(name: WireName): WireName {
  return WireName.read(name.bytes.subarray(0, 2 + (name.bytes[1] ?? 0)));
}

let count = 0;

/** Both ways, through the node. */
async function expectConversation(): Promise<void> {
  const text = `still here ${(count += 1)}`;
  await session.publish(Buffer.from(text));
  expect((await official.receive(native, 1))[0]?.text).toBe(text);
  await official.publish(native, text);
  expect((await texts(session, 1))[0]?.text).toBe(text);
}

const bare = () => withoutStrings(wireNameOf('org/ns/bare'));

describe('what makes zombies of links to an official node', () => {
  it.each<[string, (mac: HeaderMac | undefined) => Uint8Array]>([
    ['a message that says nothing', () => new Uint8Array()],
    ['a message of a later version only', () => fromHex('7a020102')],
    ['bytes that are no protobuf', () => fromHex('ffffffffffff')],
    ['a subscription whose name has no strings', (mac) => signed(subscribeTo(bare(), 7n), mac)],
    [
      'a message that steers the tables of the node',
      (mac) => signed(publishTo(wireNameOf('org/ns/x'), { forwardTo: 1n, receivedFrom: 1n }), mac),
    ],
    [
      'a message for the official application of which half is missing',
      (mac) => signed(publishTo(wireNameOf('org/ns/official'), { ttl: 8 }), mac).subarray(0, 150),
    ],
    [
      'a message for the official application that says nothing to it',
      (mac) => signed(publishTo(wireNameOf('org/ns/official'), { ttl: 8 }), mac),
    ],
  ])('%s: ours goes on, and so does an official application beside it', async (_, trap) => {
    const { link, probe, mac } = await hostileLink();
    link.send(trap(mac));
    link.send(signed(subscribeTo(wireNameOf('org/ns/hostile'), 42n), mac));
    await probe.until(() => acks(probe).includes(42n));
    await expectConversation();
    expect(probe.ends).toStrictEqual([]);
    await link.close();
  });
});

function acks(probe: LinkProbe): (bigint | undefined)[] {
  return probe.frames.map((bytes) => frame.decode(bytes).subscriptionAck?.id);
}
