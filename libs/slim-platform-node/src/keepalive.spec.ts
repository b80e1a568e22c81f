import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

interface KeepaliveTimes {
  readonly keepaliveMs?: number;
  readonly keepaliveTimeoutMs?: number;
}

const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A way to a port that can go dead without a word, as a cut cable does. */
async function openTunnel(port: number) {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(near);
    sockets.push(near, far);
  });
  const listening = await listenOnLoopback(server);
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    await listening.close();
  });
  const url = `http://127.0.0.1:${listening.port}`;
  const cut = (): void => sockets.forEach((socket) => socket.unpipe().pause());
  return { url, cut };
}

async function setup(keepalive: KeepaliveTimes = {}) {
  const clock = new ManualClock();
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => {
    accept = resolve;
  });
  const listener = await listenHttp2({ host: '127.0.0.1', port: 0, clock, ...keepalive }, accept);
  ends.push(() => listener.close());
  const { url, cut } = await openTunnel(Number(new URL(listener.url).port));
  const dialled = new LinkProbe(await http2Dialler(url, { clock, ...keepalive }).dial(never));
  return { clock, cut, dialled, accepted: new LinkProbe(await accepted) };
}

describe('Keepalive', () => {
  it('ends the links of both sides when nothing comes any more', async () => {
    const { clock, cut, dialled, accepted } = await setup();
    cut();
    for (let round = 0; round < 3; round += 1) clock.advance(60_000 + 20_000);
    const silence = { code: 'link-closed', message: expect.stringMatching('silent for 80000 ms') };
    expect(dialled.ends).toMatchObject([silence]);
    expect(accepted.ends).toMatchObject([silence]);
    await Promise.all([dialled.link.close(), accepted.link.close()]);
  });

  it('waits as long as it is told to, on both sides', async () => {
    const { clock, cut, dialled, accepted } = await setup({
      keepaliveMs: 1_000,
      keepaliveTimeoutMs: 200,
    });
    cut();
    for (let round = 0; round < 3; round += 1) clock.advance(1_200);
    const silence = { code: 'link-closed', message: expect.stringMatching('silent for 1200 ms') };
    expect([dialled.ends, accepted.ends]).toMatchObject([[silence], [silence]]);
    await Promise.all([dialled.link.close(), accepted.link.close()]);
  });

  it('keeps a link whose peer answers', async () => {
    const clock = new ManualClock();
    let session: ServerHttp2Session | undefined;
    const server = createHttp2Server();
    server.on('session', (opened) => {
      session = opened;
    });
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      // The frame follows the answer to the ping.
      stream.session?.on('ping', () => stream.write(Buffer.of(0, 0, 0, 0, 0)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const probe = new LinkProbe(await http2Dialler(url, { clock, keepaliveMs: 1_000 }).dial(never));
    for (let count = 1; count <= 3; count += 1) {
      // The first round may only find the traffic of the beginning, and then asks nothing.
      while (probe.frames.length < count) {
        clock.advance(1_000);
        await Promise.race([probe.received(count), new Promise(setImmediate)]);
      }
      clock.advance(20_000);
    }
    expect(probe.ends).toHaveLength(0);
    probe.link.destroy(new SlimError('aborted', 'done'));
    await probe.link.close();
    session?.destroy();
    server.close();
    await once(server, 'close');
    expect(clock.pending).toBe(0);
  });
});
