import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link, LinkDialler, LinkListener, SlimError } from '@nestjs-slim/core';
import { makeCertificate } from '../../../test/support/certificates.js';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

const authority = makeCertificate({ subject: 'authority' });
const hosts = ['localhost', '127.0.0.1'];
const { cert, key } = makeCertificate({ subject: 'node', hosts, issuer: authority });
const client = makeCertificate({ subject: 'client', issuer: authority });
const stranger = makeCertificate({ subject: 'stranger' });
const ca = authority.cert;

const never = new AbortController().signal;
const anyPort = { host: '127.0.0.1', port: 0 };
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Not `once` of node:events, which fails when the socket does. */
const closed = (socket: Socket) => new Promise((resolve) => socket.resume().once('close', resolve));

async function keep(listening: Promise<LinkListener>): Promise<LinkListener> {
  const listener = await listening;
  ends.push(() => listener.close());
  return listener;
}

const echo = (link: Link): void => {
  const probe: LinkProbe = new LinkProbe(link, () =>
    link.send(probe.frames.at(-1) ?? Uint8Array.of()),
  );
};

/** Whether a large frame comes back unchanged, over a link that then ends in order. */
async function echoes(dialler: LinkDialler): Promise<boolean> {
  const probe = new LinkProbe(await dialler.dial(never));
  const frame = new Uint8Array(300_000).fill(7);
  probe.link.send(frame);
  await probe.received(1);
  await probe.link.close();
  const [echoed = Uint8Array.of()] = probe.frames;
  return Buffer.compare(echoed, frame) === 0 && probe.ends[0] === undefined;
}

describe('links over TLS', () => {
  it('are dialled with https and the authority that signed the listener', async () => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    expect(listener.url).toMatch(/^https:/);
    expect(await echoes(http2Dialler(listener.url, { tls: { ca } }))).toBe(true);
    const { port } = new URL(listener.url);
    expect(await echoes(http2Dialler(`https://localhost:${port}`, { tls: { ca } }))).toBe(true);
  });

  it.each([
    ['of an authority that is not trusted', {}],
    ['for another name', { ca, serverName: 'other.example' }],
  ])('refuse a certificate %s', async (_, tls) => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    await expect(http2Dialler(listener.url, { tls }).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringMatching(/certificate|altnames/i),
    });
  });

  it('ask a client for its certificate where the listener says so', async () => {
    const tls = { key, cert, clientCa: ca };
    const refused: SlimError[] = [];
    const onRefused = (reason: SlimError): unknown => refused.push(reason);
    const listener = await keep(listenHttp2({ ...anyPort, tls, onRefused }, echo));
    const own = { key: client.key, cert: client.cert };
    expect(await echoes(http2Dialler(listener.url, { tls: { ca, ...own } }))).toBe(true);
    for (const other of [{}, { key: stranger.key, cert: stranger.cert }]) {
      const dialler = http2Dialler(listener.url, { tls: { ca, ...other } });
      await expect(dialler.dial(never)).rejects.toMatchObject({ code: 'link-failed' });
    }
    expect(refused).toMatchObject([
      { code: 'refused', message: expect.stringMatching(/^TLS handshake: .*certificate/) },
      { code: 'refused', message: 'TLS handshake: DEPTH_ZERO_SELF_SIGNED_CERT' },
    ]);
  });

  it('take any certificate only when told to', async () => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    const tls = { insecureSkipVerify: true };
    expect(await echoes(http2Dialler(listener.url, { tls }))).toBe(true);
  });

  it('check the name that they are told to instead of the host', async () => {
    const named = makeCertificate({ subject: 'n', hosts: ['node.example'], issuer: authority });
    const own = { key: named.key, cert: named.cert };
    const listener = await keep(listenHttp2({ ...anyPort, tls: own }, echo));
    const tls = { ca, serverName: 'node.example' };
    for (const dialler of [http2Dialler, grpcJsDialler]) {
      expect(await echoes(dialler(listener.url, { tls }))).toBe(true);
      await expect(dialler(listener.url, { tls: { ca } }).dial(never)).rejects.toMatchObject({
        code: 'link-failed',
      });
    }
  });

  it('trust the authorities of the system beside their own when told to', async () => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    expect(await echoes(http2Dialler(listener.url, { tls: { ca, systemCas: true } }))).toBe(true);
  });

  it.each([
    [undefined, 'TLSv1.3'],
    ['tls1.2', 'TLSv1.2'],
    ['tls1.3', 'TLSv1.3'],
  ] as const)('offer with version %s only %s', async (version, only) => {
    const tls = { key, cert, ...(version && { version }) };
    const listener = await keep(listenHttp2({ ...anyPort, tls }, echo));
    const port = Number(new URL(listener.url).port);
    const spoken = (['TLSv1.2', 'TLSv1.3'] as const).map(async (one) => {
      const versions = { minVersion: one, maxVersion: one };
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca,
        ALPNProtocols: ['h2'],
        ...versions,
      });
      ends.push(() => socket.destroy());
      return new Promise<unknown>((resolve) => {
        socket.once('secureConnect', () => resolve(socket.getProtocol()));
        socket.once('error', () => resolve(undefined));
      });
    });
    expect((await Promise.all(spoken)).filter(Boolean)).toStrictEqual([only]);
    const ours = version ? { ca, version } : { ca };
    expect(await echoes(http2Dialler(listener.url, { tls: ours }))).toBe(true);
    const other = only === 'TLSv1.3' ? 'tls1.2' : 'tls1.3';
    await expect(
      http2Dialler(listener.url, { tls: { ca, version: other } }).dial(never),
    ).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('do not mind clients that speak something else', async () => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    const port = Number(new URL(listener.url).port);
    const plain = connectTcp({ port, host: '127.0.0.1' }).on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await closed(plain);
    const other = { port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] };
    const strange = connectTls(other).on('error', () => undefined);
    await closed(strange);
    expect(await echoes(http2Dialler(listener.url, { tls: { ca } }))).toBe(true);
  });

  it('leave no socket when the listener closes during a handshake', async () => {
    const listener = await listenHttp2({ ...anyPort, tls: { key, cert } }, echo);
    const port = Number(new URL(listener.url).port);
    const silent = connectTcp({ port, host: '127.0.0.1' }).on('error', () => undefined);
    const hungUp = closed(silent);
    expect(await echoes(http2Dialler(listener.url, { tls: { ca } }))).toBe(true);
    await listener.close();
    await hungUp;
  });

  it.each([
    ['a key that is none', { key: 'no key', cert }, /key given as text: expected a private key/],
    [
      'the key of another',
      { key: client.key, cert },
      /key given as text is not the key of the cert/,
    ],
    ['a certificate that is none', { key, cert: 'none' }, /expected at least one PEM certificate/],
    [
      'a damaged certificate',
      { key, cert: cert.slice(0, 300) + cert.slice(310) },
      /the certificate/,
    ],
    ['a client CA that is none', { key, cert, clientCa: key }, /client CA given as text/],
    ['a file that is not there', { key, cert: { file: '/no/c.pem' } }, /in \/no\/c.pem: .*ENOENT/],
  ])('are not offered with %s', async (_, tls, message) => {
    await expect(listenHttp2({ ...anyPort, tls }, echo)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['the key of another', { ca, cert: client.cert, key }],
    ['a certificate without its key', { ca, cert }],
    ['authorities that are none', { ca: 'x' }],
  ])('are not dialled with %s', async (_, tls) => {
    for (const dialler of [http2Dialler, grpcJsDialler]) {
      await expect(dialler('https://127.0.0.1:1', { tls }).dial(never)).rejects.toMatchObject({
        code: 'invalid-config',
      });
    }
  });

  it('work with grpc-js on either side', async () => {
    const pairs = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
    const serverCredentials = ServerCredentials.createSsl(null, pairs);
    const channelCredentials = ChannelCredentials.createSsl(Buffer.from(ca));
    const ours = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    const theirs = await keep(listenGrpcJs({ ...anyPort, serverCredentials }, echo));
    expect(theirs.url).toMatch(/^https:/);
    expect(await echoes(grpcJsDialler(ours.url, { channelCredentials }))).toBe(true);
    expect(await echoes(http2Dialler(theirs.url, { tls: { ca } }))).toBe(true);
  });

  it('are refused where grpc-js cannot reload certificates', async () => {
    await expect(listenGrpcJs({ ...anyPort, tls: { key, cert } }, echo)).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'listenGrpcJs has no tls: use serverCredentials, or listenHttp2',
    });
  });
});
