import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock, Link, LinkListener } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

type Listen = (
  options: { host: string; port: number; clock?: Clock },
  accept: (link: Link) => void,
) => Promise<LinkListener>;

const listeners: readonly (readonly [string, Listen])[] = [
  ['listenHttp2', listenHttp2],
  ['listenGrpcJs', listenGrpcJs],
];
const openChannel = '/dataplane.proto.v1.DataPlaneService/OpenChannel';
const anyPort = { host: '127.0.0.1', port: 0 };
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(listen: Listen, clock?: Clock) {
  const links: LinkProbe[] = [];
  const options = clock ? { ...anyPort, clock } : anyPort;
  const listener = await listen(options, (link) => links.push(new LinkProbe(link)));
  ends.push(() => listener.close());
  return { listener, links, port: Number(new URL(listener.url).port) };
}

function client(url: string): ClientHttp2Session {
  const session = connectHttp2(url);
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  return session;
}

function request(session: ClientHttp2Session, path = openChannel): ClientHttp2Stream {
  const stream = session.request(
    { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  // As every gRPC client does when the server ended the call.
  stream.once('end', () => stream.end());
  return stream.resume();
}

async function headersOf(stream: ClientHttp2Stream, event: 'response' | 'trailers') {
  const [headers] = (await once(stream, event)) as [IncomingHttpHeaders];
  return headers;
}

describe.each(listeners)('%s', (_, listen) => {
  it('shows the port it was given', async () => {
    const { listener, port } = await start(listen);
    expect(listener.url).toBe(`http://127.0.0.1:${port}`);
    expect(port).toBeGreaterThan(0);
  });

  it('names an address it cannot have', async () => {
    const { port } = await start(listen);
    await expect(listen({ host: '127.0.0.1', port }, () => undefined)).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringMatching(`127.0.0.1:${port}.*EADDRINUSE`),
    });
  });

  it('answers at once, before the client sent a message', async () => {
    const { listener } = await start(listen);
    const response = await headersOf(request(client(listener.url)), 'response');
    expect(response).toMatchObject({ ':status': 200, 'content-type': /^application\/grpc/ });
  });

  it('knows no other method', async () => {
    const { listener, links } = await start(listen);
    const response = await headersOf(
      request(client(listener.url), '/other.Service/Do'),
      'response',
    );
    expect(response).toMatchObject({ ':status': 200, 'grpc-status': '12' });
    expect(links).toHaveLength(0);
  });

  it('accepts several links on one connection', async () => {
    const { listener, links } = await start(listen);
    const session = client(listener.url);
    const streams = [request(session), request(session)];
    await Promise.all(streams.map((stream) => headersOf(stream, 'response')));
    streams[1]?.write(Buffer.of(0, 0, 0, 0, 1, 2));
    await links[1]?.received(1);
    expect(links.map(({ frames }) => frames.length)).toStrictEqual([0, 1]);
    streams[1]?.close();
    await links[1]?.ended();
    expect(links[0]?.ends).toHaveLength(0);
  });

  it('survives streams that are reset as soon as they are opened', async () => {
    const { listener } = await start(listen);
    const session = client(listener.url);
    await once(session, 'connect');
    for (let count = 0; count < 20; count += 1) {
      request(session, count % 2 ? '/other.Service/Do' : openChannel).close(8);
    }
    const response = await headersOf(request(session), 'response');
    expect(response[':status']).toBe(200);
  });

  it('ends every link with status 0 when it closes, and frees its port', async () => {
    const { listener, links, port } = await start(listen);
    const streams = [request(client(listener.url)), request(client(listener.url))];
    await Promise.all(streams.map((stream) => headersOf(stream, 'response')));
    const trailers = Promise.all(streams.map((stream) => headersOf(stream, 'trailers')));
    await Promise.all([listener.close(), listener.close()]);
    expect((await trailers).map((values) => values['grpc-status'])).toStrictEqual(['0', '0']);
    expect(links.map((link) => link.ends)).toStrictEqual([[undefined], [undefined]]);
    const again = await listen({ host: '127.0.0.1', port }, () => undefined);
    await again.close();
  });
});

describe('listenHttp2', () => {
  it('announces a window of 512 KiB for the stream and for the connection', async () => {
    const { listener } = await start(listenHttp2);
    const session = client(listener.url);
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.initialWindowSize).toBe(512 * 1024);
    await headersOf(request(session), 'response');
    expect(session.state.remoteWindowSize).toBe(512 * 1024);
  });

  it.each([
    ['an HTTP/1 request', Buffer.from('GET / HTTP/1.1\r\nhost: here\r\n\r\n')],
    [
      'random bytes',
      Buffer.from('d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998', 'hex'),
    ],
    ['a TLS hello', Buffer.from('16030100a5010000a10303'.padEnd(340, '00'), 'hex')],
    ['a window update of nothing', preface('00000408000000000000000000')],
  ])('hangs up on %s and serves the next client', async (_, bytes) => {
    const { listener, port } = await start(listenHttp2);
    const socket = await tcp(port);
    socket.write(bytes);
    await closed(socket);
    const link = await http2Dialler(listener.url).dial(never);
    expect(link.remote).toBe(listener.url);
    await link.close();
  });

  it('notices that a client left although HTTP/2 gave up its connection', async () => {
    const { listener, port } = await start(listenHttp2, new ManualClock());
    const socket = await tcp(port);
    socket.end(preface('ffffff00ffffffffff'));
    await closed(socket);
    expect(socket.destroyed).toBe(true);
    await listener.close();
  });

  it.each([
    ['says nothing', Buffer.alloc(0)],
    ['stops within the preface', preface('').subarray(0, 10)],
    ['opens no stream', preface('')],
    ['sends a frame of a size that was not agreed', preface('ffffff00ffffffffff')],
    ['sends data on a stream that is not there', preface('000001000000000001ff')],
  ])('hangs up after a while on a client that %s', async (_, bytes) => {
    const clock = new ManualClock();
    const { listener, port } = await start(listenHttp2, clock);
    const socket = await tcp(port);
    socket.write(bytes);
    // A link dialled later proves that the listener knows of the first connection.
    const link = await http2Dialler(listener.url).dial(never);
    clock.advance(10_000);
    await closed(socket);
    await link.close();
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('does not wait forever for clients that do not hang up', async () => {
    const clock = new ManualClock();
    const { listener, port } = await start(listenHttp2, clock);
    const idle = await tcp(port);
    await (await http2Dialler(listener.url).dial(never)).close();
    const closing = listener.close();
    await new Promise(setImmediate);
    clock.advance(5_000);
    await Promise.all([closing, closed(idle)]);
    expect(clock.pending).toBe(0);
  });
});

/** Not `once` of node:events, which fails when the socket does. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

function preface(rest: string): Buffer {
  const settings = '000000040000000000';
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from(settings + rest, 'hex'),
  ]);
}

async function tcp(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined).resume();
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}
