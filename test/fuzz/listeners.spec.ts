import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret, type SlimApp as App } from '@nestjs-slim/core';
import { listenWebSocket, nodeCrypto, SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { encodeGrpcFrames } from '../../libs/slim-platform-node/src/grpc-framing.js';
import { firstSession, texts } from '../support/sessions.js';
import { changed, changes, joined, runs, within } from './fuzz.js';
import { expectNothingUnhandled } from './unhandled.js';

const host = '127.0.0.1';
const identity = sharedSecret({ secret: 'a secret that only the fuzzed listeners share' });
const negotiation = new NegotiationRequest(nodeCrypto, 'link', 'client', connectionType.edge).frame;

let node: SlimNode;
let alice: App;
let bob: App;

beforeAll(async () => {
  node = await SlimNode.start({
    listen: [
      { host, port: 0 },
      (accept, onRefused) => listenWebSocket({ host, port: 0, onRefused }, accept),
    ],
  });
  const [first = '', second = ''] = node.urls;
  alice = await SlimApp.connect({ name: 'org/ns/alice', identity, node: first });
  bob = await SlimApp.connect({ name: 'org/ns/bob', identity, node: second });
});

afterAll(async () => {
  await alice.close();
  await bob.close();
  await node.close();
});

/** All that a client of gRPC sends up to its first frame, as it goes over TCP. */
async function recordHttp2(): Promise<Uint8Array> {
  const received: Uint8Array[] = [];
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const session = connectHttp2(`http://${host}:${port}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/dataplane.proto.v1.DataPlaneService/OpenChannel',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.write(encodeGrpcFrames([negotiation]));
  const [socket] = await once(server, 'connection');
  const tail = Buffer.from(negotiation.subarray(-20));
  while (!Buffer.concat(received).includes(tail)) {
    const [chunk] = (await once(socket, 'data')) as [Uint8Array];
    received.push(chunk);
  }
  session.destroy();
  server.close();
  return joined(...received);
}

/** The same of a client that speaks WebSocket, with its masks of zero. */
function recordWebSocket(): Uint8Array {
  const request = [
    'GET / HTTP/1.1',
    'host: node',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const head = Buffer.from(`${request.join('\r\n')}\r\n\r\n`);
  const frame = Uint8Array.of(0x82, 0x80 | 126, 0, negotiation.length, 0, 0, 0, 0);
  return joined(head, frame, negotiation, Uint8Array.of(0x89, 0x80, 0, 0, 0, 0));
}

/** Sends bytes in pieces and hangs up, as soon as they are out or when the other end does. */
async function send(url: string | undefined, pieces: readonly Uint8Array[]): Promise<void> {
  const { port } = new URL(url ?? '');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined).resume();
  const closed = once(socket, 'close');
  for (const piece of pieces) {
    if (socket.destroyed) break;
    await new Promise((written) => socket.write(piece, () => written(undefined)));
  }
  socket.end();
  // Whatever the other end still waits for, this one waits for nothing.
  socket.destroySoon();
  await closed;
}

async function expectServed(): Promise<void> {
  const [session, other] = await Promise.all([
    alice.openSession('org/ns/bob', { mls: false }),
    firstSession(bob),
  ]);
  await session.publish(Buffer.from('still here'));
  expect((await texts(other, 1))[0]?.text).toBe('still here');
  await session.close();
  expect([alice.status, bob.status]).toStrictEqual(['connected', 'connected']);
}

describe('whatever comes over TCP', () => {
  expectNothingUnhandled();

  it.each(['gRPC', 'WebSocket'])(
    'a listener for %s goes on, and nobody beside notices',
    async (kind) => {
      const genuine = kind === 'gRPC' ? await recordHttp2() : recordWebSocket();
      const url = node.urls[kind === 'gRPC' ? 0 : 1];
      const noise = fc.uint8Array({ maxLength: 400 });
      const bytes = fc.oneof(
        { weight: 6, arbitrary: changes.map((list) => changed(genuine, list)) },
        { weight: 1, arbitrary: noise },
        { weight: 2, arbitrary: noise.map((tail) => joined(genuine, tail)) },
        { weight: 1, arbitrary: noise.map((tail) => joined(genuine.subarray(0, 24), tail)) },
      );
      const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(bytes, cuts), { minLength: 8, maxLength: 8 }),
          async (all) => {
            await Promise.all(
              all.map(([content, places]) => {
                const at = places
                  .map((place) => Math.floor(place * content.length))
                  .toSorted((a, b) => a - b);
                const pieces = [...at, content.length].map((end, index) =>
                  content.subarray(at[index - 1] ?? 0, end),
                );
                return send(url, pieces);
              }),
            );
          },
        ),
        runs(60),
      );
      await expectServed();
      while (node.counters.connections > 2) await new Promise((resolve) => setImmediate(resolve));
      expect(node.counters.connections).toBe(2);
    },
    within(30),
  );
});
