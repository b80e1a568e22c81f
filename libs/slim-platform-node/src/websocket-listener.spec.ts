import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { maxFrameBytes, SlimError, type Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { WebSocket } from 'ws';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import type { LinkRequest } from './link-auth/link-auth.js';
import { listenWebSocket, type WebSocketListenerOptions } from './websocket-listener.js';

const host = '127.0.0.1';
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function setup(options: Partial<WebSocketListenerOptions> = {}) {
  const links: LinkProbe[] = [];
  const refusals: string[] = [];
  let wake: () => void = () => undefined;
  const accept = (link: Link): void => {
    links.push(new LinkProbe(link));
    wake();
  };
  const onRefused = ({ code, message }: SlimError): void =>
    void refusals.push(`${code}: ${message}`);
  const listener = await listenWebSocket({ host, port: 0, onRefused, ...options }, accept);
  ends.push(() => listener.close());
  const port = Number(new URL(listener.url).port);
  const dial = async (path = '/', headers = {}): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://${host}:${port}${path}`, { headers });
    ends.push(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  /** The next link that is accepted. */
  const accepted = async (): Promise<LinkProbe> => {
    while (links.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return links.shift() as LinkProbe;
  };
  return { listener, port, links, refusals, dial, accepted };
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** The answer to a request that gets no link. */
async function ask(port: number, path: string, headers = {}): Promise<IncomingMessage> {
  const request = httpRequest({ host, port, path, headers, agent: false }).end();
  request.on('upgrade', (_response, socket) => socket.destroy());
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

async function dialRaw(port: number): Promise<Socket> {
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('listenWebSocket and its requests', () => {
  it.each([
    { what: 'another path', path: '/slim/', headers: upgrade, status: 404 },
    { what: 'an equivalent path', path: '/x/../slim', headers: upgrade, status: 404 },
    { what: 'another path, no WebSocket', path: '/', headers: {}, status: 404 },
    { what: 'no WebSocket', path: '/slim', headers: {}, status: 400 },
    {
      what: 'another protocol',
      path: '/slim',
      headers: { ...upgrade, upgrade: 'h2c' },
      status: 400,
    },
    {
      what: 'another version',
      path: '/slim',
      headers: { ...upgrade, 'sec-websocket-version': '12' },
      status: 400,
    },
    {
      what: 'a bad key',
      path: '/slim',
      headers: { ...upgrade, 'sec-websocket-key': 'x' },
      status: 400,
    },
  ])('answers a request for $what with $status', async ({ path, headers, status }) => {
    const { port, links, refusals } = await setup({ path: '/slim' });
    expect((await ask(port, path, headers)).statusCode).toBe(status);
    expect(refusals).toStrictEqual([expect.stringMatching(/^refused: ./)]);
    expect(links).toHaveLength(0);
  });

  it('looks at the path alone, and takes no sub-protocol', async () => {
    const { dial, accepted, listener } = await setup({ path: '/slim' });
    expect(listener.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/slim$/);
    const socket = await dial('/slim?who=cares');
    expect([socket.protocol, socket.extensions]).toStrictEqual(['', '']);
    await accepted();
  });

  it('takes pages of the origins it was told, and whoever is no page', async () => {
    const origins = ['https://shop.example'];
    const { port, refusals, dial } = await setup({ origins });
    const elsewhere = { ...upgrade, origin: 'https://evil.example' };
    expect((await ask(port, '/', elsewhere)).statusCode).toBe(403);
    expect(refusals).toStrictEqual([expect.stringContaining('https://evil.example')]);
    await dial('/', { origin: 'https://shop.example' });
    await dial();
  });

  it.each(['slim', '', '/a?b', '/a b', '/a#b'])('refuses "%s" as a path', async (path) => {
    const attempt = listenWebSocket({ host, port: 0, path }, () => undefined);
    await expect(attempt).rejects.toMatchObject({
      code: 'invalid-config',
      message: `expected a path such as /slim, got "${path}"`,
    });
  });

  it('says that a port is taken', async () => {
    const { port } = await setup();
    const attempt = listenWebSocket({ host, port }, () => undefined);
    await expect(attempt).rejects.toMatchObject({ code: 'link-failed' });
  });
});

describe('listenWebSocket and credentials', () => {
  const rejected = new SlimError('identity-rejected', 'not known here');

  it('asks the authenticator, and answers 401 with its challenge', async () => {
    const seen: LinkRequest[] = [];
    const { port, refusals, links } = await setup({
      authenticator: {
        challenge: 'Basic',
        authenticate(request) {
          seen.push(request);
          throw rejected;
        },
      },
    });
    const response = await ask(port, '/', { ...upgrade, authorization: 'Basic bm86bm8=' });
    expect([response.statusCode, response.headers['www-authenticate']]).toStrictEqual([
      401,
      'Basic',
    ]);
    expect(seen).toStrictEqual([
      { authorization: 'Basic bm86bm8=', remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    ]);
    expect(refusals).toStrictEqual(['identity-rejected: not known here']);
    expect(links).toHaveLength(0);
  });

  it.each([
    { path: '/', header: undefined, seen: undefined },
    { path: '/?token=', header: undefined, seen: undefined },
    { path: '/?token=a.b.c', header: undefined, seen: 'Bearer a.b.c' },
    { path: '/?x=1&token=a%2Eb%3D', header: undefined, seen: 'Bearer a.b=' },
    { path: '/?token=%E0%A4%A', header: undefined, seen: expect.stringMatching(/^Bearer /) },
    { path: '/?token=a.b.c', header: 'Bearer d.e.f', seen: 'Bearer d.e.f' },
  ])('finds the token of $path beside the header $header', async ({ path, header, seen }) => {
    const requests: LinkRequest[] = [];
    const authenticate = async (request: LinkRequest) => void requests.push(request);
    const { dial, accepted } = await setup({ authenticator: { authenticate } });
    await dial(path, header && { authorization: header });
    await accepted();
    expect(requests.map(({ authorization }) => authorization)).toStrictEqual([seen]);
  });

  it('answers 503 when the authenticator takes too long, and does not wait for clients that left', async () => {
    const clock = new ManualClock();
    let asked: () => void = () => undefined;
    const authenticate = (): Promise<void> => {
      asked();
      return new Promise(() => undefined);
    };
    const { port, listener } = await setup({ clock, authenticator: { authenticate } });
    const question = new Promise<void>((resolve) => (asked = resolve));
    const answer = ask(port, '/', upgrade);
    await question;
    clock.advance(5_000);
    expect((await answer).statusCode).toBe(503);
    const left = new WebSocket(`ws://${host}:${port}`);
    left.on('error', () => undefined);
    await new Promise<void>((resolve) => (asked = resolve));
    left.terminate();
    await listener.close();
    expect(clock.pending).toBe(0);
  });
});

describe('a WebSocket that listenWebSocket accepted', () => {
  it('ends with 1003 on text, and no other link with it', async () => {
    const { dial, accepted } = await setup();
    const [good, bad] = [await dial(), await dial()];
    const [first, second] = [await accepted(), await accepted()];
    bad.send('hello');
    const [code] = (await once(bad, 'close')) as [number];
    expect(code).toBe(1003);
    await second.ended();
    expect(second.ends).toMatchObject([
      { code: 'malformed-frame', message: expect.stringContaining('text message') },
    ]);
    good.send(Uint8Array.of(7));
    await first.received(1);
    expect(first.frames).toStrictEqual([Uint8Array.of(7)]);
  });

  it('ends with 1009 on a message over the limit, before it has come', async () => {
    const { dial, accepted } = await setup();
    const socket = await dial();
    const probe = await accepted();
    socket.on('error', () => undefined);
    socket.send(new Uint8Array(maxFrameBytes));
    await probe.received(1);
    socket.send(new Uint8Array(maxFrameBytes + 1));
    const [code] = (await once(socket, 'close')) as [number];
    expect([1009, 1006]).toContain(code);
    await probe.ended();
    expect(probe.ends).toMatchObject([
      { code: 'message-too-large', message: expect.stringContaining(`${maxFrameBytes}`) },
    ]);
  });

  it('puts fragments together, and answers pings between them', async () => {
    const { dial, accepted } = await setup();
    const socket = await dial();
    const probe = await accepted();
    socket.send(Uint8Array.of(1), { fin: false });
    socket.ping();
    await once(socket, 'pong');
    expect(probe.frames).toHaveLength(0);
    socket.send(Uint8Array.of(2), { fin: true });
    await probe.received(1);
    expect(probe.frames).toStrictEqual([Uint8Array.of(1, 2)]);
  });

  it('ends with a reason when the other end breaks the protocol', async () => {
    const { port, accepted } = await setup();
    const socket = await dialRaw(port);
    const head = Object.entries(upgrade).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET / HTTP/1.1\r\nhost: x\r\n${head.join('')}\r\n`);
    const probe = await accepted();
    // An unmasked frame, which no client may send.
    socket.write(Uint8Array.of(0x82, 1, 0));
    await probe.ended();
    expect(probe.ends).toMatchObject([{ code: 'malformed-frame' }]);
  });

  it('ends in order when the other end does, and with a reason when it is gone', async () => {
    const { dial, accepted } = await setup();
    const orderly = await dial();
    const first = await accepted();
    orderly.close();
    await first.ended();
    const gone = await dial();
    const second = await accepted();
    gone.terminate();
    await second.ended();
    expect(first.ends).toStrictEqual([undefined]);
    expect(second.ends).toMatchObject([{ code: 'link-closed' }]);
  });
});

describe('the limits of listenWebSocket', () => {
  it('hangs up on connections beyond the limit', async () => {
    const { dial, port, refusals, accepted } = await setup({ maxConnections: 2 });
    await dial();
    const second = await dial();
    const third = await dialRaw(port);
    await once(third, 'close');
    expect(refusals).toStrictEqual(['refused: more than 2 connections']);
    await accepted();
    const probe = await accepted();
    second.close();
    await probe.link.close();
    await dial();
  });

  it('gives a client ten seconds for its request, and as long as it wants afterwards', async () => {
    const clock = new ManualClock();
    const { dial, port, accepted, links } = await setup({ clock, keepaliveMs: 0 });
    await dial();
    const probe = await accepted();
    const silent = await dialRaw(port);
    const slow = await dialRaw(port);
    slow.write('GET / HTTP/1.1\r\n');
    // Connections are taken in order: this one answers once those before it are known.
    await ask(port, '/');
    clock.advance(10_000);
    await Promise.all([once(silent, 'close'), once(slow, 'close')]);
    expect(probe.ends).toHaveLength(0);
    expect(links).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('ends links that are old enough in order, one a little before the other', async () => {
    const clock = new ManualClock();
    const { dial, accepted } = await setup({ clock, keepaliveMs: 0, maxConnectionAgeMs: 60_000 });
    const [older, younger] = [await dial(), await dial()];
    const [first, second] = [await accepted(), await accepted()];
    clock.advance(59_400);
    const [code] = (await once(younger, 'close')) as [number];
    expect(code).toBe(1000);
    await second.ended();
    expect(first.ends).toHaveLength(0);
    clock.advance(600);
    await once(older, 'close');
    await first.ended();
    expect([...first.ends, ...second.ends]).toStrictEqual([undefined, undefined]);
  });

  it('notices a client that answers no pings, and keeps one that does', async () => {
    const clock = new ManualClock();
    const { dial, accepted } = await setup({ clock, keepaliveMs: 1_000, keepaliveTimeoutMs: 500 });
    const alive = await dial();
    const first = await accepted();
    const dead = await dial();
    const second = await accepted();
    dead.pause();
    const asked = once(alive, 'ping');
    clock.advance(1_000);
    await asked;
    // The answer to the ping is there when this is: both take the same way.
    alive.send(Uint8Array.of(1));
    await first.received(1);
    clock.advance(500);
    expect(second.ends).toMatchObject([
      { code: 'link-closed', message: expect.stringMatching('was silent for 1500 ms') },
    ]);
    expect(first.ends).toHaveLength(0);
  });

  it('ends though a client does not answer its close', async () => {
    const clock = new ManualClock();
    const { dial, accepted, listener } = await setup({ clock });
    const socket = await dial();
    const probe = await accepted();
    socket.pause();
    const closing = listener.close();
    clock.advance(5_000);
    await closing;
    await listener.close();
    expect(probe.ends).toMatchObject([
      {
        code: 'link-closed',
        message: expect.stringMatching('did not end the link within 5000 ms'),
      },
    ]);
    expect(clock.pending).toBe(0);
  });
});
