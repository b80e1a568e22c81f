import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@nestjs-slim/core/testing';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { http2Dialler, type Http2DiallerOptions } from './http2-dialler.js';

let server: Http2Server | undefined;

afterEach(async () => {
  if (!server?.listening) return;
  server.close();
  await once(server, 'close');
});

/** A link to a server that accepts it and then does as the test says. */
async function setup(
  act: (stream: ServerHttp2Stream) => void,
  options: Http2DiallerOptions = { keepaliveMs: 0 },
) {
  server = createServer();
  const accepted = new Promise<ServerHttp2Stream>((resolve) => {
    server?.once('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      act(stream);
      resolve(stream);
    });
  });
  const connected = new Promise<Socket>((resolve) => server?.once('connection', resolve));
  const { port } = await listenOnLoopback(server);
  const dialler = http2Dialler(`http://127.0.0.1:${port}`, options);
  const link = await dialler.dial(new AbortController().signal);
  return { link, stream: await accepted, socket: await connected };
}

const trailers = (values: Record<string, string | number>) => (stream: ServerHttp2Stream) => {
  stream.once('wantTrailers', () => stream.sendTrailers(values));
  stream.end(Buffer.of(0, 0, 0, 0, 1, 42));
};

const turn = () => new Promise(setImmediate);

describe('Http2Link', () => {
  it.each([
    ['a frame above the limit', [0, 0, 0x40, 0, 1], 'message-too-large', '4194305'],
    ['a compressed frame', [1, 0, 0, 0, 0], 'malformed-frame', 'flag 1'],
  ])('ends itself on %s, behind the frames before it', async (_, bytes, code, message) => {
    const { link, stream } = await setup((peer) => {
      peer.resume().write(Buffer.of(0, 0, 0, 0, 1, 42, ...bytes));
    });
    const probe = new LinkProbe(link);
    const closed = once(stream, 'close');
    await probe.ended();
    expect(probe.frames).toStrictEqual([Uint8Array.of(42)]);
    expect(probe.ends).toMatchObject([{ code, message: expect.stringContaining(message) }]);
    await closed;
  });

  it('takes status 0 for an orderly end', async () => {
    const { link } = await setup(trailers({ 'grpc-status': 0 }));
    const probe = new LinkProbe(link);
    await probe.ended();
    expect(probe.frames).toStrictEqual([Uint8Array.of(42)]);
    expect(probe.ends).toStrictEqual([undefined]);
  });

  it('names any other status, behind the frames before it', async () => {
    const status = { 'grpc-status': 7, 'grpc-message': 'self-connection%20rejected' };
    const { link } = await setup(trailers(status));
    const probe = new LinkProbe(link);
    await probe.ended();
    expect(probe.frames).toStrictEqual([Uint8Array.of(42)]);
    expect(probe.ends).toMatchObject([
      {
        code: 'refused',
        message: `${link.remote} ended the link with gRPC status 7: self-connection rejected`,
      },
    ]);
  });

  it.each([
    ['resets the stream', (stream: ServerHttp2Stream) => stream.close(2)],
    ['cancels the stream', (stream: ServerHttp2Stream) => stream.close(8)],
    ['drops the connection', (stream: ServerHttp2Stream) => stream.session?.destroy()],
  ])('reports a peer that %s', async (_, act) => {
    const { link, stream } = await setup(() => undefined);
    const probe = new LinkProbe(link);
    act(stream);
    await probe.ended();
    expect(probe.ends).toMatchObject([{ code: 'link-closed' }]);
  });

  it('delivers what came before the end even when the connection went while it paused', async () => {
    const clock = new ManualClock();
    const { link, stream, socket } = await setup(() => undefined, { clock, keepaliveMs: 1_000 });
    const probe = new LinkProbe(link);
    link.pause();
    trailers({ 'grpc-status': 0 })(stream.resume());
    await once(stream, 'finish');
    await turn();
    stream.close();
    await once(stream, 'close');
    socket.destroy();
    // The keepalive stops when the socket is closed on this side, too.
    while (clock.pending > 0) await turn();
    link.resume();
    await probe.ended();
    expect(probe.frames).toStrictEqual([Uint8Array.of(42)]);
    expect(probe.ends).toStrictEqual([undefined]);
  });

  it('ends its direction when it closes and waits for the peer to end its own', async () => {
    const { link, stream } = await setup((peer) => {
      peer.resume().once('end', () => trailers({ 'grpc-status': 0 })(peer));
    });
    const probe = new LinkProbe(link);
    const ended = once(stream, 'end');
    await link.close();
    await ended;
    expect(probe.ends).toStrictEqual([undefined]);
    // The frame that came with the end is not delivered to an owner that closed.
    expect(probe.frames).toHaveLength(0);
  });

  it('does not wait forever for a peer that does not end its direction', async () => {
    const clock = new ManualClock();
    const { link, stream } = await setup((peer) => peer.resume(), { clock });
    const probe = new LinkProbe(link);
    const ended = once(stream, 'end');
    const closed = link.close();
    await ended;
    clock.advance(5_000);
    await closed;
    expect(probe.ends).toMatchObject([
      { code: 'link-closed', message: expect.stringMatching('5000 ms') },
    ]);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer and no socket when all is over', async () => {
    const clock = new ManualClock();
    const { link, stream } = await setup(trailers({ 'grpc-status': 0 }), { clock });
    const session = stream.session;
    const connectionClosed = session && once(session, 'close');
    const probe = new LinkProbe(link);
    await probe.ended();
    await link.close();
    await connectionClosed;
    expect(clock.pending).toBe(0);
  });
});
