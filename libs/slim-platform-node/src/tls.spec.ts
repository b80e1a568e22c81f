import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Link, LinkDialler, LinkListener } from '@nestjs-slim/core';
import { LinkProbe } from '../../slim-core/src/testing/link-probe.js';
import { grpcJsDialler } from './grpc-js-dialler.js';
import { listenGrpcJs } from './grpc-js-listener.js';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';

// Made for these tests with openssl: signed by itself, for localhost and 127.0.0.1, good until 2120.
// The key guards nothing.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg593iFFmYk4FkkJrN
+Oks7aolG118iawO1PIUk8iOVqChRANCAASr5ITPN+JgcXiwu7GVEnRvXk/608fW
mAlKvlDdf8W+VPgJiIYvQE85gfY5+bkx0tBM4qva1HLhsd3+onI5lI/3
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKvkhM834mBxeLC7
sZUSdG9eT/rTx9aYCUq+UN1/xb5U+AmIhi9ATzmB9jn5uTHS0Eziq9rUcuGx3f6i
cjmUj/ejTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMB0GA1UdDgQWBBTEdRU449hpMCSrJtx7dDoA56z1ODAKBggqhkjOPQQD
AgNIADBFAiBAHsMHjPra5Pyf99KFLfqE+s3nylTf9RFraWlm9EETkwIhAIUfhfkt
VLCLA768rmHfKedjpfZAF9Obsr95wRdSWR/V
-----END CERTIFICATE-----`;

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
    expect(await echoes(http2Dialler(listener.url, { tls: { ca: cert } }))).toBe(true);
    const { port } = new URL(listener.url);
    expect(await echoes(http2Dialler(`https://localhost:${port}`, { tls: { ca: cert } }))).toBe(
      true,
    );
  });

  it.each([
    ['of an authority that is not trusted', {}],
    ['for another name', { ca: cert, servername: 'other.example' }],
  ])('refuse a certificate %s', async (_, tls) => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    await expect(http2Dialler(listener.url, { tls }).dial(never)).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringMatching(/certificate|altnames/i),
    });
  });

  it('ask a client for its certificate where the listener says so', async () => {
    const tls = { key, cert, clientCa: cert };
    const listener = await keep(listenHttp2({ ...anyPort, tls }, echo));
    expect(await echoes(http2Dialler(listener.url, { tls: { ca: cert, key, cert } }))).toBe(true);
    await expect(
      http2Dialler(listener.url, { tls: { ca: cert } }).dial(never),
    ).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('do not mind clients that speak something else', async () => {
    const listener = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    const port = Number(new URL(listener.url).port);
    const plain = connectTcp({ port, host: '127.0.0.1' }).on('error', () => undefined);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await closed(plain);
    const other = { port, host: '127.0.0.1', ca: cert, ALPNProtocols: ['http/1.1'] };
    const strange = connectTls(other).on('error', () => undefined);
    await closed(strange);
    expect(await echoes(http2Dialler(listener.url, { tls: { ca: cert } }))).toBe(true);
  });

  it('leave no socket when the listener closes during a handshake', async () => {
    const listener = await listenHttp2({ ...anyPort, tls: { key, cert } }, echo);
    const port = Number(new URL(listener.url).port);
    const silent = connectTcp({ port, host: '127.0.0.1' }).on('error', () => undefined);
    const hungUp = closed(silent);
    expect(await echoes(http2Dialler(listener.url, { tls: { ca: cert } }))).toBe(true);
    await listener.close();
    await hungUp;
  });

  it('are not offered with a key that cannot be read', async () => {
    const tls = { key: 'no key', cert };
    await expect(listenHttp2({ ...anyPort, tls }, echo)).rejects.toMatchObject({
      code: 'invalid-config',
    });
  });

  it('work with grpc-js on either side', async () => {
    const pairs = [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }];
    const serverCredentials = ServerCredentials.createSsl(null, pairs);
    const credentials = ChannelCredentials.createSsl(Buffer.from(cert));
    const ours = await keep(listenHttp2({ ...anyPort, tls: { key, cert } }, echo));
    const theirs = await keep(listenGrpcJs({ ...anyPort, credentials: serverCredentials }, echo));
    expect(theirs.url).toMatch(/^https:/);
    expect(await echoes(grpcJsDialler(ours.url, { credentials }))).toBe(true);
    expect(await echoes(http2Dialler(theirs.url, { tls: { ca: cert } }))).toBe(true);
  });
});
