import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link, LinkDialler } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { WebSocketServer, type WebSocket } from 'ws';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { encodeGrpcFrames } from './grpc-framing.js';
import { http2Dialler } from './http2-dialler.js';
import { webSocketDialler } from './websocket-dialler.js';

/** The other end of a link. */
interface Node {
  send(frame: Uint8Array): void;
  end(): void;
  /** Messages that came. */
  answers(): number;
  /** How often it was told what it does not answer. */
  told(): number;
}

/** Where a node is, and the node once somebody dialled. */
interface Listening {
  readonly dialler: LinkDialler;
  readonly node: Promise<Node>;
}

type Listen = (clock: ManualClock) => Promise<Listening>;

const host = '127.0.0.1';
const ends: (() => unknown)[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** One that knows how much it was given leave to send, in all. */
async function listenHttp2(clock: ManualClock): Promise<Listening> {
  const server = createServer();
  const { port, close } = await listenOnLoopback(server);
  ends.push(close);
  const node = async (): Promise<Node> => {
    const [stream] = (await once(server, 'stream')) as [ServerHttp2Stream];
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const session = stream.session as ServerHttp2Session;
    let [answers, used] = [0, 0];
    stream.on('data', () => (answers += 1));
    const window = (): number => (session.state.remoteWindowSize ?? NaN) + used;
    const before = window();
    return {
      send: (frame) => {
        const bytes = encodeGrpcFrames([frame]);
        stream.write(bytes, () => (used += bytes.length));
      },
      end: () => stream.end(),
      answers: () => answers,
      told: () => window() - before,
    };
  };
  const dialler = http2Dialler(`http://${host}:${port}`, { clock, keepaliveMs: 0 });
  return { dialler, node: node() };
}

async function listenWebSocket(clock: ManualClock): Promise<Listening> {
  const server = new WebSocketServer({ host, port: 0 });
  await once(server, 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const node = async (): Promise<Node> => {
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    let [answers, told] = [0, 0];
    socket.on('message', () => (answers += 1));
    socket.on('pong', () => (told += 1));
    return {
      send: (frame) => socket.send(frame),
      end: () => socket.close(),
      answers: () => answers,
      told: () => told,
    };
  };
  const dialler = webSocketDialler(`ws://${host}:${port}`, { clock, keepaliveMs: 0 });
  return { dialler, node: node() };
}

async function setup(listen: Listen, onFrame?: (link: Link) => void) {
  const clock = new ManualClock();
  const { dialler, node: connecting } = await listen(clock);
  const dialling = dialler.dial(never);
  const node = await connecting;
  const probe = new LinkProbe(await dialling, onFrame);
  ends.push(() => {
    node.end();
    return probe.link.close();
  });
  const ask = async (): Promise<void> => {
    const before = node.answers();
    probe.link.send(Uint8Array.of(7));
    while (node.answers() === before) await immediate();
  };
  return { clock, node, probe, ask };
}

const kinds: readonly { readonly name: string; readonly listen: Listen }[] = [
  { name: 'HTTP/2', listen: listenHttp2 },
  { name: 'WebSocket', listen: listenWebSocket },
];

describe.each(kinds)('a link that was dialled over $name', ({ listen }) => {
  it('acknowledges at once what nothing is sent in answer to', async () => {
    const { ask, clock, node } = await setup(listen);
    await ask();
    for (const sent of [1, 2, 3]) {
      node.send(Uint8Array.of(sent));
      while (node.told() !== sent) await immediate();
      clock.advance(2);
    }
    expect([node.told(), clock.pending]).toStrictEqual([3, 0]);
  });

  it('does so once for all that comes in 2 ms, and not when it is closed', async () => {
    const { ask, clock, node, probe } = await setup(listen);
    await ask();
    node.send(Uint8Array.of(1));
    while (node.told() !== 1) await immediate();
    for (const sent of [2, 3, 4]) {
      node.send(Uint8Array.of(sent));
      await probe.received(sent);
    }
    while (clock.pending === 0) await immediate();
    expect([node.told(), clock.pending]).toStrictEqual([1, 1]);
    clock.advance(2);
    while (node.told() !== 2) await immediate();
    node.send(Uint8Array.of(5));
    while (clock.pending === 0) await immediate();
    node.end();
    await probe.link.close();
    expect(clock.pending).toBe(0);
  });

  it('waits for nothing when it never sent anything, or much came since it did', async () => {
    const { ask, clock, node, probe } = await setup(listen);
    for (const sent of [1, 2, 3]) {
      node.send(Uint8Array.of(sent));
      await probe.received(sent);
      clock.advance(2);
    }
    expect(node.told()).toBe(0);
    await ask();
    for (let sent = 1; sent <= 60; sent += 1) {
      node.send(Uint8Array.of(sent));
      await probe.received(3 + sent);
      await immediate();
      clock.advance(2);
    }
    await ask();
    node.send(Uint8Array.of(1));
    while (node.told() < 51) await immediate();
    expect(node.told()).toBe(51);
  });

  it('leaves that to its answer where it gives one', async () => {
    const { node } = await setup(listen, (link) => link.send(Uint8Array.of(7)));
    for (const sent of [1, 2, 3]) {
      node.send(Uint8Array.of(sent));
      while (node.answers() < sent) await immediate();
    }
    expect(node.told()).toBe(0);
  });
});
