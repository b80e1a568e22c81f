import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SlimNode, nodeCrypto } from '@nestjs-slim/platform-node';
import { encodeGrpcFrames } from '../../libs/slim-platform-node/src/grpc-framing.js';
import { NegotiationRequest } from '../../libs/slim-core/src/link/negotiation.js';
import { subscribeTo, wireNameOf } from '../../libs/slim-core/src/testing/frames.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';

/** 10,000 in a soak. */
const { MANY_CONNECTIONS = '2000' } = process.env;
const total = Number(MANY_CONNECTIONS);
const batch = 100;
const warmUp = 400;

let node: SlimNode;
let url: URL;

beforeAll(async () => {
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  url = new URL(node.url ?? '');
});

afterAll(() => node.close());

/** What a process still waits for, without what Node.js and the test runner have of their own. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter((kind) => /TCPSocket|Pipe(?!Wrap)/.test(kind)).length;

const timers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

/** Bytes in use once everything that can go is gone. */
function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** A TCP connection to the node, which may be cut at any time. */
async function tcp(): Promise<Socket> {
  const socket = connectTcp(Number(url.port), url.hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function http2(): ClientHttp2Session {
  const session = connectHttp2(url);
  session.on('error', () => undefined);
  return session;
}

const headers = {
  ':method': 'POST',
  ':path': '/dataplane.proto.v1.DataPlaneService/OpenChannel',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** A stream of a link, opened and answered. */
async function stream(session: ClientHttp2Session) {
  const link = session.request(headers);
  link.on('error', () => undefined);
  link.resume();
  await once(link, 'response');
  return link;
}

let links = 0;

function negotiation(): { readonly bytes: Uint8Array; readonly request: NegotiationRequest } {
  const id = `link-${(links += 1)}`;
  const request = new NegotiationRequest(nodeCrypto, id, 'client', connectionType.edge);
  return { request, bytes: encodeGrpcFrames([request.frame]) };
}

async function gone(session: ClientHttp2Session): Promise<void> {
  if (!session.destroyed) await once(session, 'close');
}

/** Ways to come and go. */
const visits: Readonly<Record<string, () => Promise<void>>> = {
  'in order': async () => {
    const session = http2();
    const link = await stream(session);
    link.write(negotiation().bytes);
    link.end();
    await once(link, 'close');
    session.close();
    await gone(session);
  },
  'with a reset after a subscription': async () => {
    const session = http2();
    const link = session.request(headers);
    link.on('error', () => undefined);
    const { bytes, request } = negotiation();
    link.write(bytes);
    const [first] = (await once(link, 'data')) as [Uint8Array];
    const { mac } = request.complete(first.subarray(5));
    const message = subscribeTo(wireNameOf(`org/ns/visitor-${links}`), 1n);
    const header = message.subscribe?.header;
    const headerMac = header && mac?.tag(header);
    const signed = { ...message.subscribe, id: 1n, header: header && { ...header, headerMac } };
    link.write(encodeGrpcFrames([frame.encode({ ...message, subscribe: signed })]));
    await once(link, 'data');
    session.socket?.resetAndDestroy();
    session.destroy();
    await gone(session);
  },
  'in the middle of the negotiation': async () => {
    const session = http2();
    await stream(session);
    session.destroy();
    await gone(session);
  },
  'in the middle of a frame': async () => {
    const session = http2();
    const link = await stream(session);
    const { bytes } = negotiation();
    link.write(bytes.subarray(0, bytes.length / 2));
    await new Promise((sent) => session.ping(sent));
    session.destroy();
    await gone(session);
  },
  'with a frame that is no negotiation': async () => {
    const session = http2();
    const link = await stream(session);
    link.write(encodeGrpcFrames([Uint8Array.of(1, 2, 3)]));
    await once(link, 'close');
    session.destroy();
    await gone(session);
  },
  'half closed, and with nothing more to say': async () => {
    const socket = await tcp();
    const session = connectHttp2(url, { createConnection: () => socket });
    session.on('error', () => undefined);
    const link = await stream(session);
    link.write(negotiation().bytes);
    await new Promise((sent) => session.ping(sent));
    socket.end();
    if (!socket.closed) await once(socket, 'close');
    session.destroy();
  },
  'with half of the greeting of HTTP/2': async () => {
    const socket = await tcp();
    socket.write('PRI * HTTP/2.0\r\n');
    socket.end();
    socket.resume();
    await once(socket, 'close');
  },
  'with something that is no HTTP/2': async () => {
    const socket = await tcp();
    socket.write('GET / HTTP/1.1\r\nhost: node\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  },
  'without a word': async () => {
    const socket = await tcp();
    socket.resetAndDestroy();
    if (!socket.closed) await once(socket, 'close');
  },
};

async function visit(count: number): Promise<void> {
  const ways = Object.values(visits);
  for (let done = 0; done < count; done += batch) {
    const visitors = Array.from({ length: batch }, (_, at) =>
      Promise.resolve(ways[at % ways.length]?.()),
    );
    await Promise.all(visitors);
  }
}

/** Settles once the node has seen the end of everybody, which its clients see a little earlier. */
async function empty(): Promise<void> {
  for (const endMs = Date.now() + 15_000; ;) {
    const { connections, subscriptions } = node.counters;
    if (connections + subscriptions + resources() === 0) return;
    if (Date.now() > endMs) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(
    `still there: ${JSON.stringify([node.counters, process.getActiveResourcesInfo()])}`,
  );
}

describe(`${total} clients that come and go`, () => {
  it.each(Object.keys(visits))('are served and let go one by one: %s', async (way) => {
    await visits[way]?.();
    await empty();
    expect(node.snapshot().links).toStrictEqual([]);
  });

  it('leave neither memory nor handles behind, and nothing in the tables', async () => {
    await visit(warmUp);
    await empty();
    const before = { heap: heapBytes(), timers: timers() };
    await visit(total);
    await empty();
    const after = { heap: heapBytes(), timers: timers() };
    expect(after.timers).toBeLessThanOrEqual(before.timers);
    // One kept object of 2 KiB a connection would be twice as much.
    expect(after.heap - before.heap).toBeLessThan(total * 1_024);
    expect(node.counters).toMatchObject({ connections: 0, subscriptions: 0 });
    expect(node.counters.received).toBeGreaterThan(total / 4);
  }, 300_000);
});
