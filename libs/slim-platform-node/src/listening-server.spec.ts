import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SlimError, Link } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { makeCertificate } from '../../../test/support/certificates.js';
import { filesAreRead } from '../../../test/support/files-are-read.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';
import type { ListenerSettings } from './listener-options.js';
import { webSocketDialler } from './websocket-dialler.js';
import { listenWebSocket } from './websocket-listener.js';

const authority = makeCertificate({ subject: 'authority' });
const host = '127.0.0.1';
const { cert, key } = makeCertificate({ subject: 'node', hosts: [host], issuer: authority });
const client = makeCertificate({ subject: 'client', issuer: authority });
const stranger = makeCertificate({ subject: 'stranger' });
const ca = authority.cert;
const never = new AbortController().signal;
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const protocols = [
  {
    name: 'listenHttp2',
    protocol: 'h2',
    listen: listenHttp2,
    dialler: (url: string, tls: object) => http2Dialler(url, { tls: { ca, ...tls } }),
  },
  {
    name: 'listenWebSocket',
    protocol: 'http/1.1',
    listen: listenWebSocket,
    dialler: (url: string, tls: object) => webSocketDialler(url, { tls: { ca, ...tls } }),
  },
];

async function start(listen: typeof listenWebSocket, settings: Partial<ListenerSettings> = {}) {
  const refused: string[] = [];
  let wake = (): void => undefined;
  const onRefused = ({ code, message }: SlimError, remote: string): void => {
    refused.push(`${remote.replace(/\d+$/, 'port')} ${code}: ${message}`);
    wake();
  };
  const refusals = async (count: number): Promise<readonly string[]> => {
    while (refused.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return refused;
  };
  const accept = (link: Link): void => void link.close();
  const tls = { cert, key };
  const listener = await listen({ host, port: 0, tls, onRefused, ...settings }, accept);
  ends.push(() => listener.close());
  return { listener, refused, refusals, port: Number(new URL(listener.url).port) };
}

async function dialTls(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host, ca, ...options }).on('error', () => undefined);
  ends.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** TLS on a connection that can be reset. */
async function dialToReset(port: number) {
  const tcp = connectTcp({ host, port }).on('error', () => undefined);
  ends.push(() => tcp.destroy());
  const tls = await dialTls({ socket: tcp });
  return { tcp, tls };
}

const upgradeTo = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
  'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('a client that resets its connection over TLS', () => {
  it('harms nobody when its request was refused', async () => {
    const { listener, port, refusals } = await start(listenWebSocket);
    const { tcp, tls } = await dialToReset(port);
    tls.write(upgradeTo('/wrong'));
    tcp.resetAndDestroy();
    expect(await refusals(1)).toStrictEqual([expect.stringContaining('got /wrong')]);
    const link = await webSocketDialler(listener.url, { tls: { ca } }).dial(never);
    await link.close();
  });

  it('harms nobody while its request is judged', async () => {
    let asked = (): void => undefined;
    const question = new Promise<void>((resolve) => (asked = resolve));
    const authenticate = (): Promise<void> => {
      asked();
      return new Promise(() => undefined);
    };
    let gone = (): void => undefined;
    const over = new Promise<string>((resolve) => (gone = () => resolve('given up')));
    // What waits for the client is given up when its connection is gone.
    const clock = { now: () => 0, schedule: () => gone };
    const settings = { authenticator: { authenticate }, clock };
    const { port } = await start(listenWebSocket, settings);
    const { tcp, tls } = await dialToReset(port);
    tls.write(upgradeTo('/'));
    await question;
    tcp.resetAndDestroy();
    expect(await over).toBe('given up');
  });
});

describe.each(protocols)('TLS of $name', ({ listen, dialler, protocol }) => {
  it('tells of a client without a certificate, and of one whose authority is not trusted', async () => {
    const { listener, refusals } = await start(listen, { tls: { cert, key, clientCa: ca } });
    const own = { key: client.key, cert: client.cert };
    await (await dialler(listener.url, own).dial(never)).close();
    for (const other of [{}, { key: stranger.key, cert: stranger.cert }]) {
      await expect(dialler(listener.url, other).dial(never)).rejects.toMatchObject({
        code: 'link-failed',
      });
    }
    const [without, wrong, ...rest] = await refusals(2);
    expect(without).toMatch(/^127.0.0.1:port refused: TLS handshake: .*certificate/);
    // It is gone by then, and its address with it.
    expect(wrong).toBe('unknown:port refused: TLS handshake: DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(rest).toStrictEqual([]);
  });

  it('tells of a client that does not speak TLS, and of none that just leaves', async () => {
    const { refusals, refused, port } = await start(listen);
    const leaving = connectTcp({ host, port });
    await once(leaving, 'connect');
    leaving.destroy();
    const plain = connectTcp({ host, port }).on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await once(plain.resume(), 'close');
    await refusals(1);
    const fine = await dialTls({ port, ALPNProtocols: [protocol] });
    expect(fine.alpnProtocol).toBe(protocol);
    expect(refused).toStrictEqual([
      expect.stringMatching(/^127.0.0.1:port refused: TLS handshake: /),
    ]);
  });

  it('shows a new certificate within a second after its files changed, until it closes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slim-listening-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const files = { cert: { file: join(folder, 'cert') }, key: { file: join(folder, 'key') } };
    writeFileSync(files.cert.file, cert);
    writeFileSync(files.key.file, key);
    const clock = new ManualClock();
    const errors: SlimError[] = [];
    const tls = { ...files, onTlsError: (error: SlimError) => errors.push(error) };
    const { listener, port } = await start(listen, { tls, clock });
    const subject = async (): Promise<unknown> => {
      const socket = await dialTls({ port, ALPNProtocols: [protocol] });
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    await filesAreRead();
    // What changed before it listened is read.
    clock.advance(200);
    const next = makeCertificate({ subject: 'next', hosts: [host], issuer: authority });
    writeFileSync(files.cert.file, next.cert);
    writeFileSync(files.key.file, next.key);
    expect(await subject()).toBe('node');
    clock.advance(1_000);
    await filesAreRead();
    clock.advance(200);
    expect(await subject()).toBe('next');
    expect(errors).toStrictEqual([]);
    await listener.close();
    expect(clock.pending).toBe(0);
  });
});
