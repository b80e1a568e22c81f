import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SlimError, type Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { WebSocketServer } from 'ws';
import { listenOnLoopback } from '../../../test/support/loopback-server.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { makeCertificate } from '../../../test/support/certificates.js';
import { webSocketDialler } from './websocket-dialler.js';
import { listenWebSocket, type WebSocketListenerOptions } from './websocket-listener.js';

const host = '127.0.0.1';
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listen(options: Partial<WebSocketListenerOptions> = {}) {
  let accept: (link: Link) => void = () => undefined;
  const accepted = new Promise<Link>((resolve) => (accept = resolve));
  const listener = await listenWebSocket({ host, port: 0, ...options }, accept);
  ends.push(() => listener.close());
  return { url: listener.url, accepted };
}

/** A port that takes connections and says what it is told to, or nothing. */
async function listenRaw(answer: string | undefined): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    if (answer !== undefined) socket.once('data', () => socket.end(answer));
  });
  const { port, close } = await listenOnLoopback(server);
  ends.push(async () => {
    for (const socket of sockets) socket.destroy();
    await close();
  });
  return { url: `ws://${host}:${port}`, sockets };
}

describe('webSocketDialler and its URL', () => {
  it.each([
    ['ws://node:46357', 'ws://node:46357'],
    ['WSS://node/', 'wss://node'],
    ['ws://[::1]:80/slim?token=hidden', 'ws://[::1]/slim'],
  ])('dials %s, known as %s', (url, target) => {
    expect(webSocketDialler(url).target).toBe(target);
  });

  it.each([
    ['http://node', 'http://node'],
    ['node:46357', 'node:46357'],
    ['', ''],
    ['ws://', 'ws://'],
    ['ws://me:hidden@node/x', 'ws://…@node/x'],
    ['ws://node/#x', 'ws://node/#x'],
    ['gopher://node/?token=hidden', 'gopher://node/?…'],
  ])('refuses "%s", and shows no secret of it', (url, shown) => {
    expect(() => webSocketDialler(url)).toThrow(
      new SlimError(
        'invalid-config',
        `expected ws://host:port/path or wss://host:port/path, got "${shown}"`,
      ),
    );
  });

  it('refuses tls for a URL that does not encrypt, and numbers that cannot be meant', () => {
    const invalid = expect.objectContaining({ code: 'invalid-config' });
    expect(() => webSocketDialler('ws://node', { tls: {} })).toThrow(invalid);
    expect(() => webSocketDialler('ws://node', { keepaliveMs: -1 })).toThrow(invalid);
  });
});

describe('webSocketDialler', () => {
  it('asks as the official client does, with what it was told to send', async () => {
    const seen: IncomingMessage[] = [];
    const server = createHttpServer();
    const sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request: IncomingMessage, socket, head) => {
      seen.push(request);
      sockets.handleUpgrade(request, socket, head, () => undefined);
    });
    server.listen(0, host);
    await once(server, 'listening');
    ends.push(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    });
    const url = `ws://${host}:${(server.address() as AddressInfo).port}/slim?x=1`;
    let asked = 0;
    const credentials = { authorization: () => `Bearer token-${++asked}` };
    const options = { credentials, headers: { 'x-extra': 'yes' }, origin: 'https://shop.example' };
    const dialler = webSocketDialler(url, options);
    for (let round = 0; round < 2; round += 1) (await dialler.dial(never)).destroy(ended);
    expect(seen.map(({ headers }) => headers.authorization)).toStrictEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/slim?x=1', httpVersion: '1.1' });
    expect(seen[0]?.headers).toMatchObject({
      'sec-websocket-version': '13',
      'x-extra': 'yes',
      origin: 'https://shop.example',
    });
    expect(Object.keys(seen[0]?.headers ?? {})).not.toContain('sec-websocket-extensions');
  });

  it.each([
    { status: '401 Unauthorized', code: 'identity-rejected' },
    { status: '403 Forbidden', code: 'identity-rejected' },
    { status: '404 Not Found', code: 'link-failed' },
    { status: '200 OK', code: 'link-failed' },
    { status: '302 Found\r\nlocation: ws://127.0.0.1:1/', code: 'link-failed' },
  ])('fails with $code on status $status, and follows nobody', async ({ status, code }) => {
    const { url } = await listenRaw(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);
    const attempt = webSocketDialler(url).dial(never);
    const message = `${url}: HTTP status ${status.slice(0, 3)}`;
    await expect(attempt).rejects.toMatchObject({ code, message });
  });

  it.each([
    { what: 'no HTTP at all', answer: 'hello\r\n\r\n' },
    { what: 'nothing', answer: '' },
    {
      what: 'a wrong key',
      answer:
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
        'sec-websocket-accept: x\r\n\r\n',
    },
  ])('fails when the other end answers $what', async ({ answer }) => {
    const { url } = await listenRaw(answer);
    await expect(webSocketDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('fails when nobody listens', async () => {
    const attempt = webSocketDialler(`ws://${host}:1`).dial(never);
    await expect(attempt).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('gives up when the signal fires and when it takes too long', async () => {
    const { url, sockets } = await listenRaw(undefined);
    const clock = new ManualClock();
    const dialler = webSocketDialler(url, { clock, connectTimeoutMs: 3_000 });
    const controller = new AbortController();
    const aborted = dialler.dial(controller.signal);
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' });
    await expect(dialler.dial(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    const late = dialler.dial(never);
    while (sockets.length < 1) await new Promise(setImmediate);
    clock.advance(3_000);
    await expect(late).rejects.toMatchObject({ code: 'link-failed' });
    expect(clock.pending).toBe(0);
  });

  it('repeats nothing of its credentials when they are no header', async () => {
    const { url } = await listen();
    const authorization = (): string => 'Bearer hidden\n';
    const attempt = webSocketDialler(url, { credentials: { authorization } }).dial(never);
    const failure = await attempt.catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code: 'invalid-config' });
    expect(String(failure)).not.toContain('hidden');
  });
});

describe('webSocketDialler with TLS', () => {
  const authority = makeCertificate({ subject: 'authority' });
  const server = makeCertificate({ subject: 'node', hosts: [host], issuer: authority });
  const client = makeCertificate({ subject: 'client', issuer: authority });
  const tls = { cert: server.cert, key: server.key };

  it('opens a link to a node that it trusts, and none to another', async () => {
    const { url, accepted } = await listen({ tls });
    expect(url).toMatch(/^wss:/);
    const trusting = webSocketDialler(url, { tls: { ca: authority.cert } });
    const link = new LinkProbe(await trusting.dial(never));
    const other = new LinkProbe(await accepted);
    link.link.send(Uint8Array.of(1, 2, 3));
    await other.received(1);
    expect(other.frames).toStrictEqual([Uint8Array.of(1, 2, 3)]);
    await expect(webSocketDialler(url).dial(never)).rejects.toMatchObject({ code: 'link-failed' });
    await link.link.close();
  });

  it('shows a certificate where the node asks for one', async () => {
    const { url } = await listen({ tls: { ...tls, clientCa: authority.cert } });
    const own = { ca: authority.cert, cert: client.cert, key: client.key };
    const link = await webSocketDialler(url, { tls: own }).dial(never);
    await link.close();
    const nobody = webSocketDialler(url, { tls: { ca: authority.cert } }).dial(never);
    await expect(nobody).rejects.toMatchObject({ code: 'link-failed' });
  });
});

const ended = new SlimError('link-closed', 'the test is over');
