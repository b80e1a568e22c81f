import { once } from 'node:events';
import {
  constants,
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from 'node:http2';
import { existsSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';
import { openChannelPath } from './http2-settings.js';
import type { ListenerSettings } from './listener-options.js';

const never = new AbortController().signal;
const anyPort = { host: '127.0.0.1', port: 0 };
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(settings: ListenerSettings) {
  const links: LinkProbe[] = [];
  const refused: string[] = [];
  const onRefused: ListenerSettings['onRefused'] = ({ code, message }) =>
    refused.push(`${code}: ${message}`);
  const listener = await listenHttp2({ ...anyPort, onRefused, ...settings }, (link) =>
    links.push(new LinkProbe(link)),
  );
  ends.push(() => listener.close());
  return { listener, links, refused, port: Number(new URL(listener.url).port) };
}

const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

/** A client by hand, which shows what it was sent and ends nothing by itself. */
async function byHand(url: string) {
  const session: ClientHttp2Session = connectHttp2(url);
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  const stream = session.request(
    { ':method': 'POST', ':path': openChannelPath, 'content-type': 'application/grpc' },
    { endStream: false },
  );
  stream.on('error', () => undefined).resume();
  await once(stream, 'response');
  return { session, stream };
}

/** One frame, as a negotiation would be. */
async function hearFrom(stream: ClientHttp2Stream, accepted: LinkProbe | undefined): Promise<void> {
  stream.write(Buffer.of(0, 0, 0, 0, 1, 7));
  await accepted?.received(1);
}

describe('maxConnections', () => {
  it('hangs up on more at once, counts them, and takes the next when one left', async () => {
    const { listener, links, refused, port } = await start({ maxConnections: 2 });
    const dialler = http2Dialler(listener.url);
    const [first, second] = [await dialler.dial(never), await dialler.dial(never)];
    const third = connectTcp({ port, host: '127.0.0.1' }).on('error', () => undefined);
    await closed(third.resume());
    await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'link-failed' });
    expect(refused).toStrictEqual(Array(2).fill('refused: more than 2 connections'));
    await first.close();
    await links[0]?.ended();
    const next = await dialler.dial(never);
    await Promise.all([second.close(), next.close()]);
  });
});

describe('maxConnectionAgeMs', () => {
  it('says so, sends what is queued, takes what the other end sent, and ends in order', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, maxConnectionAgeMs: 30_000 });
    const { session, stream } = await byHand(listener.url);
    const [accepted] = links;
    await hearFrom(stream, accepted);
    const goaway = once(session, 'goaway');
    const trailers = once(stream, 'trailers');
    accepted?.link.send(Uint8Array.of(1, 2));
    const received = once(stream, 'data');
    clock.advance(30_000);
    expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    expect((await received)[0]).toStrictEqual(Buffer.of(0, 0, 0, 0, 2, 1, 2));
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
    // Sent before we knew, or so it could be.
    stream.end(Buffer.of(0, 0, 0, 0, 1, 9));
    await accepted?.ended();
    expect(accepted?.frames).toStrictEqual([Uint8Array.of(7), Uint8Array.of(9)]);
    expect(accepted?.ends).toStrictEqual([undefined]);
    await once(session, 'close');
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('cuts a connection whose client does not end its part', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, maxConnectionAgeMs: 1_000 });
    const { session, stream } = await byHand(listener.url);
    await hearFrom(stream, links[0]);
    const trailers = once(stream, 'trailers');
    const gone = once(session, 'close');
    clock.advance(1_000);
    await trailers;
    expect(links[0]?.ends).toStrictEqual([]);
    clock.advance(5_000);
    await links[0]?.ended();
    await new Promise(setImmediate);
    clock.advance(1_000);
    await gone;
    await listener.close();
    expect(clock.pending).toBe(0);
  });

  it('loses no frame of our dialler, which sees an orderly end', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, maxConnectionAgeMs: 1_000 });
    const probe = new LinkProbe(await http2Dialler(listener.url).dial(never));
    const count = 500;
    probe.link.send(Uint8Array.of(7));
    await links[0]?.received(1);
    for (let sent = 1; sent < count; sent += 1) probe.link.send(Uint8Array.of(sent & 255));
    clock.advance(1_000);
    await Promise.all([probe.ended(), links[0]?.ended()]);
    expect(probe.ends).toStrictEqual([undefined]);
    expect(links[0]?.frames).toHaveLength(count);
  });

  it('does not end connections at once that came one after the other', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, maxConnectionAgeMs: 1_000 });
    const dialler = http2Dialler(listener.url);
    for (let count = 0; count < 3; count += 1) {
      const { link } = new LinkProbe(await dialler.dial(never));
      link.send(Uint8Array.of(7));
      await links[count]?.received(1);
    }
    for (const [index, ageMs] of [980, 990, 1_000].entries()) {
      clock.advance(ageMs - (index === 0 ? 0 : 970 + index * 10));
      await links[2 - index]?.ended();
      expect(links.filter(({ ends: over }) => over.length > 0)).toHaveLength(index + 1);
    }
  });

  it('leaves a link time to be negotiated, because a native client has one chance', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, maxConnectionAgeMs: 1_000 });
    const { stream } = await byHand(listener.url);
    const trailers = once(stream, 'trailers');
    clock.advance(1_000);
    await hearFrom(stream, links[0]);
    expect(links[0]?.ends).toStrictEqual([]);
    clock.advance(5_000);
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
  });
});

describe('frameTimeoutMs', () => {
  it('drops a peer that holds half a frame, however well it answers pings', async () => {
    const clock = new ManualClock();
    const { listener, links } = await start({ clock, frameTimeoutMs: 30_000 });
    const { session, stream } = await byHand(listener.url);
    const [accepted] = links;
    // One whole frame, and the beginning of another.
    stream.write(Buffer.of(0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 4, 1));
    await accepted?.received(1);
    for (let count = 0; count < 3; count += 1) {
      stream.write(Buffer.alloc(0));
      await new Promise<void>((resolve) => session.ping(() => resolve()));
      clock.advance(10_000);
    }
    expect(accepted?.ends).toMatchObject([
      { code: 'link-closed', message: expect.stringMatching('did not finish a frame') },
    ]);
  });
});

describe('maxQueuedBytes', () => {
  it('makes a link say sooner that it is full', async () => {
    const { listener, links } = await start({ maxQueuedBytes: 2_000 });
    const dialler = http2Dialler(listener.url, { maxQueuedBytes: 5_000 });
    const probe = new LinkProbe(await dialler.dial(never));
    const fill = (link: Link | undefined): number => {
      let taken = 1;
      while (link?.send(new Uint8Array(995))) taken += 1;
      return taken;
    };
    expect([fill(links[0]?.link), fill(probe.link)]).toStrictEqual([3, 6]);
    await probe.link.close();
  });
});

describe('limits of HTTP/2', () => {
  it('are announced as they are set', async () => {
    const limits = { maxConcurrentStreams: 3, maxHeaderListBytes: 4_096 };
    const { listener } = await start({ ...limits, maxHttp2FrameBytes: 100_000 });
    const session = connectHttp2(listener.url).on('error', () => undefined);
    ends.push(() => session.destroy());
    await once(session, 'remoteSettings');
    expect(session.remoteSettings).toMatchObject({
      maxConcurrentStreams: 3,
      maxHeaderListSize: 4_096,
      maxFrameSize: 100_000,
    });
  });

  it('refuse a header list that is larger', async () => {
    const { listener, links } = await start({ maxHeaderListBytes: 2_048 });
    const large = { headers: { 'x-token': 'x'.repeat(3_000) } };
    await expect(http2Dialler(listener.url, large).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringContaining('431'),
    });
    expect(links).toHaveLength(0);
    await (await http2Dialler(listener.url).dial(never)).close();
  });
});

describe('numbers that cannot be meant', () => {
  it.each([
    [{ maxConnections: 0 }, 'expected maxConnections between 1 and 9007199254740991, got 0'],
    [{ keepaliveMs: -1 }, 'expected keepaliveMs between 0 and 2147483647, got -1'],
    [{ maxConnectionAgeMs: 2 ** 31 }, /expected maxConnectionAgeMs .* got 2147483648/],
    [{ maxHttp2FrameBytes: 1_000 }, /expected maxHttp2FrameBytes between 16384 and 16777215/],
    [{ maxQueuedBytes: Number.NaN }, /expected maxQueuedBytes .* got NaN/],
  ])('are refused: %p', async (settings, message) => {
    await expect(listenHttp2({ ...anyPort, ...settings }, () => undefined)).rejects.toThrow(
      message,
    );
  });

  it.each([{ maxConnections: 5 }, { frameTimeoutMs: 5 }, { maxQueuedBytes: 5 }])(
    'and those that grpc-js does not have: %p',
    async (settings) => {
      await expect(
        listenGrpcJs({ ...anyPort, ...settings }, () => undefined),
      ).rejects.toMatchObject({ code: 'invalid-config' });
    },
  );
});

describe('Unix sockets', () => {
  function socketPath(): string {
    const folder = mkdtempSync(join(tmpdir(), 'slim-'));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    return join(folder, 'node.sock');
  }

  const listeners = [
    ['listenHttp2', listenHttp2],
    ['listenGrpcJs', listenGrpcJs],
  ] as const;

  it.each(listeners)('carry links of %s and are gone with it', async (_, listen) => {
    const path = socketPath();
    const listener = await listen({ path }, (link) => {
      const probe: LinkProbe = new LinkProbe(link, () => link.send(probe.frames[0] as Uint8Array));
    });
    expect(listener.url).toBe(`unix://${path}`);
    for (const dialler of [http2Dialler, grpcJsDialler]) {
      const probe = new LinkProbe(await dialler(listener.url).dial(never));
      probe.link.send(Uint8Array.of(1, 2, 3));
      await probe.received(1);
      expect(probe.frames).toStrictEqual([Uint8Array.of(1, 2, 3)]);
      await probe.link.close();
    }
    await listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it.each(listeners)('left behind by a dead process are replaced by %s', async (_, listen) => {
    const path = socketPath();
    const dead = createServer().listen(`${path}.old`);
    await once(dead, 'listening');
    // As a process leaves it that is killed: the file stays, nobody listens.
    linkSync(`${path}.old`, path);
    dead.close();
    await once(dead, 'close');
    const listener = await listen({ path }, (link) => new LinkProbe(link));
    const link = await http2Dialler(listener.url).dial(never);
    expect(link.remote).toBe(`unix://${path}`);
    await link.close();
    await listener.close();
  });

  it.each(listeners)(
    'of others, and files that are none, are left alone by %s',
    async (_, listen) => {
      const path = socketPath();
      const first = await listen({ path }, (link) => new LinkProbe(link));
      ends.push(() => first.close());
      const file = `${path}.txt`;
      writeFileSync(file, 'precious');
      for (const taken of [path, file]) {
        await expect(listen({ path: taken }, () => undefined)).rejects.toMatchObject({
          code: 'link-failed',
          message: expect.stringMatching('EADDRINUSE'),
        });
      }
      expect(existsSync(file)).toBe(true);
      await (await http2Dialler(first.url).dial(never)).close();
    },
  );

  it('take no TLS', async () => {
    const tls = { cert: '', key: '' };
    await expect(listenHttp2({ path: '/tmp/x.sock', tls }, () => undefined)).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'unix:///tmp/x.sock takes no tls',
    });
  });

  it('that nobody listens on are named', async () => {
    const url = `unix://${socketPath()}`;
    await expect(http2Dialler(url).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringMatching(`^${url}: .*ENOENT`),
    });
  });
});
