import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sharedSecret, type LinkDialler, type SlimApp as App } from '@nestjs-slim/core';
import {
  basicAuthenticator,
  basicCredentials,
  http2Dialler,
  jwtAuthenticator,
  jwtCredentials,
  SlimApp,
  SlimNode,
  type Http2DiallerOptions,
  type ListenerSettings,
} from '@nestjs-slim/platform-node';
import { makeCertificate } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { NativePeer } from '../support/native-peer.js';
import { firstSession, texts } from '../support/sessions.js';

/** Messages that are published one after the other. */
const batch = 200;

const secret = 'interop-tests-share-this-secret-of-40-bytes';
const identity = sharedSecret({ secret });

const authority = makeCertificate({ subject: 'authority' });
const stranger = makeCertificate({ subject: 'another authority' });
const hosts = ['localhost', '127.0.0.1'];
const node = makeCertificate({ subject: 'node', hosts, issuer: authority });
const client = makeCertificate({ subject: 'client', issuer: authority });
const tls = { cert: node.cert, key: node.key };

const account = { username: 'agent', password: 'a password of tests' };
const wrongAccount = { ...account, password: 'another password' };
const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const keys = keyPair();
const wrongKeys = keyPair();
const claims = { issuer: 'tests', subject: 'agent', audience: ['nodes'] };

/** As the official configuration writes these things. */
const official = {
  pem: ({ cert, key }: { cert: string; key: string }) => ({ type: 'pem', cert, key }),
  ca: (data: string) => ({ type: 'pem', data }),
  basic: (who: typeof account) => ({ type: 'basic', ...who }),
  jwt: (type: 'encoding' | 'decoding', data: string) => ({
    type: 'jwt',
    claims,
    duration: '1h',
    key: { type, algorithm: 'ES256', format: 'pem', key: { data } },
  }),
};
const plain = { insecure: true };
const trusting = { ca_source: official.ca(authority.cert), include_system_ca_certs_pool: false };

const connectApp = (name: string, dialler: LinkDialler | SlimNode): Promise<App> =>
  SlimApp.connect({ name, identity, node: dialler });

/** Opens a session from `from` to `name`, and whether what it says is echoed. */
async function isAnswered(from: App, name: string): Promise<boolean> {
  const session = await from.openSession(name);
  const reply = await session.request(Buffer.from('hello'), { timeoutMs: 10_000 });
  await session.close();
  return Buffer.from(reply.payload).toString() === 'hello';
}

describe('our listener serves official applications', () => {
  const routing: SlimNode[] = [];
  let peer: NativePeer;

  beforeAll(async () => {
    peer = await NativePeer.start();
  });

  afterAll(async () => {
    await peer.stop();
    await Promise.all(routing.map((one) => one.close()));
  });

  async function start(settings: ListenerSettings) {
    const refused: string[] = [];
    const onRefused: ListenerSettings['onRefused'] = ({ code }) => refused.push(code);
    const listen = { host: '127.0.0.1', port: 0, onRefused, ...settings };
    const one = await SlimNode.start({ listen });
    routing.push(one);
    return { one, url: one.url ?? '', refused };
  }

  let apps = 0;

  /** Connects the official process with this configuration, and talks to it through the node. */
  async function talks(one: SlimNode, config: object): Promise<boolean> {
    const name = `org/ns/official-${(apps += 1)}`;
    await peer.connect(one.url ?? '', config);
    await peer.app({ name, secret });
    const ours = await connectApp(`org/ns/ours-${apps}`, one);
    const accepted = peer.accept();
    const opened = isAnswered(ours, name);
    const echo = peer.echo(await accepted, 1);
    const answered = await opened;
    await echo;
    await ours.close();
    await peer.disconnect();
    return answered;
  }

  const once = { backoff: { type: 'fixed_interval', interval: '10ms', max_attempts: 1 } };

  it('with TLS 1.3, and with TLS 1.2 where both say so', async () => {
    const { one } = await start({ tls });
    expect(await talks(one, { tls: trusting })).toBe(true);
    const older = await start({ tls: { ...tls, version: 'tls1.2' } });
    expect(await talks(older.one, { tls: { ...trusting, tls_version: 'tls1.2' } })).toBe(true);
    await expect(peer.connect(older.url, { tls: trusting, ...once })).rejects.toThrow(
      /ProtocolVersion/,
    );
  });

  it('but not those that trust another authority', async () => {
    const { one, url } = await start({ tls });
    const wrong = { ...trusting, ca_source: official.ca(stranger.cert) };
    await expect(peer.connect(url, { tls: wrong, ...once })).rejects.toThrow(/UnknownIssuer/);
    expect(await talks(one, { tls: trusting })).toBe(true);
  });

  it('with mTLS, and refuses those without a certificate or with one of another authority', async () => {
    const { one, url } = await start({ tls: { ...tls, clientCa: authority.cert } });
    expect(await talks(one, { tls: { ...trusting, source: official.pem(client) } })).toBe(true);
    for (const source of [{ type: 'none' }, official.pem(stranger)]) {
      const attempt = peer.connect(url, { tls: { ...trusting, source }, ...once });
      await expect(attempt).rejects.toThrow(/CertificateRequired|connection/);
    }
    expect(one.snapshot().links).toHaveLength(0);
  });

  it('with certificates that changed since it began', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slim-link-'));
    const [cert, key] = [{ file: join(folder, 'cert.pem') }, { file: join(folder, 'key.pem') }];
    const old = makeCertificate({ subject: 'old', hosts, issuer: stranger });
    writeFileSync(cert.file, old.cert);
    writeFileSync(key.file, old.key);
    const { one, url } = await start({ tls: { cert, key } });
    await expect(peer.connect(url, { tls: trusting, ...once })).rejects.toThrow(/UnknownIssuer/);
    writeFileSync(cert.file, node.cert);
    writeFileSync(key.file, node.key);
    // Tries until the listener has read them.
    const patient = { type: 'fixed_interval', interval: '100ms', max_attempts: 100 };
    expect(await talks(one, { tls: trusting, backoff: patient })).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('with basic credentials, and answers 401 to wrong and to missing ones', async () => {
    const { one, url, refused } = await start({ authenticator: basicAuthenticator(account) });
    expect(await talks(one, { auth: official.basic(account) })).toBe(true);
    for (const auth of [official.basic(wrongAccount), undefined]) {
      await expect(peer.connect(url, { ...(auth && { auth }), ...once })).rejects.toThrow(/401/);
    }
    expect(refused).toStrictEqual(['identity-rejected', 'identity-rejected']);
  });

  it('with a JWT over TLS, and answers 401 to one of another key', async () => {
    const verificationKey = { pem: keys.publicPem, algorithm: 'ES256' } as const;
    const { issuer, audience } = claims;
    const authenticator = jwtAuthenticator({ verificationKey, issuer, audience });
    const { one, url, refused } = await start({ tls, authenticator });
    const auth = official.jwt('encoding', keys.privatePem);
    expect(await talks(one, { tls: trusting, auth })).toBe(true);
    const wrong = official.jwt('encoding', wrongKeys.privatePem);
    const attempt = peer.connect(url, { tls: trusting, auth: wrong, ...once });
    await expect(attempt).rejects.toThrow(/401/);
    expect(refused).toStrictEqual(['identity-rejected']);
    authenticator.close();
  });

  it('whose connections end by age while they talk, and loses nothing of it', async () => {
    const { one } = await start({ maxConnectionAgeMs: 1_000 });
    const ends: unknown[] = [];
    one.on('link', (event) => event.kind === 'closed' && ends.push(event.reason));
    await peer.connect(one.url ?? '');
    await peer.app({ name: 'org/ns/ageing', secret });
    const ours = await connectApp('org/ns/patient', one);
    const incoming = firstSession(ours);
    const opened = await peer.open('org/ns/patient', { reliable: true, intervalMs: 200 });
    const session = await incoming;
    for (let round = 0; ends.length < 2; round += 1) {
      const received = texts(session, batch, 30_000);
      await peer.publishMany(opened, batch, `${round}-`, { wait: true });
      const inOrder = Array.from({ length: batch }, (_, index) => `${round}-${index}`);
      expect((await received).map(({ text }) => text)).toStrictEqual(inOrder);
    }
    expect(new Set(ends)).toStrictEqual(new Set([undefined]));
    await ours.close();
    await peer.disconnect();
  }, 60_000);
});

describe('our dialler reaches an official node', () => {
  const urls: Record<string, string> = {};
  let peer: NativePeer;
  let echo: App;

  beforeAll(async () => {
    const servers: Record<string, object> = {
      plain: { tls: plain },
      tls: { tls: { source: official.pem(node) } },
      tls12: { tls: { source: official.pem(node), tls_version: 'tls1.2' } },
      mtls: { tls: { source: official.pem(node), client_ca: official.ca(authority.cert) } },
      basic: { tls: plain, auth: official.basic(account) },
      'tls+jwt': {
        tls: { source: official.pem(node) },
        auth: official.jwt('decoding', keys.publicPem),
      },
      ageing: { tls: plain, keepalive: { max_connection_age: '1s' } },
    };
    const entries = await Promise.all(
      Object.entries(servers).map(async ([name, server]) => {
        const port = await freePort();
        urls[name] = `${name.includes('tls') ? 'https' : 'http'}://127.0.0.1:${port}`;
        return { endpoint: `127.0.0.1:${port}`, ...server };
      }),
    );
    peer = await NativePeer.start();
    await peer.startConfiguredNode({
      tracing: { log_level: 'warn' },
      services: { 'slim/0': { dataplane: { servers: entries, clients: [] } } },
    });
    echo = await connectApp('org/ns/echo', http2Dialler(urls['plain'] ?? ''));
    void (async () => {
      for await (const session of echo.sessions()) {
        void (async () => {
          for await (const message of session) await message.reply(message.payload);
        })();
      }
    })();
  });

  afterAll(async () => {
    await echo.close();
    await peer.stop();
  });

  let apps = 0;

  async function talks(server: string, options: Http2DiallerOptions): Promise<boolean> {
    const dialler = http2Dialler(urls[server] ?? '', options);
    const app = await connectApp(`org/ns/dialled-${(apps += 1)}`, dialler);
    const answered = await isAnswered(app, 'org/ns/echo');
    await app.close();
    return answered;
  }

  const ca = authority.cert;

  it('with TLS 1.3, and with TLS 1.2 where both say so', async () => {
    expect(await talks('tls', { tls: { ca } })).toBe(true);
    expect(await talks('tls', { tls: { ca, serverName: 'localhost' } })).toBe(true);
    expect(await talks('tls12', { tls: { ca, version: 'tls1.2' } })).toBe(true);
    await expect(talks('tls12', { tls: { ca } })).rejects.toMatchObject({ code: 'link-failed' });
  });

  it('but not with another authority, nor for another name', async () => {
    for (const wrong of [{ ca: stranger.cert }, {}, { ca, serverName: 'other.example' }]) {
      await expect(talks('tls', { tls: wrong })).rejects.toMatchObject({ code: 'link-failed' });
    }
    expect(await talks('tls', { tls: { insecureSkipVerify: true } })).toBe(true);
  });

  it('with mTLS, which takes no one else', async () => {
    const own = { cert: client.cert, key: client.key };
    expect(await talks('mtls', { tls: { ca, ...own } })).toBe(true);
    for (const other of [{}, { cert: stranger.cert, key: stranger.key }]) {
      await expect(talks('mtls', { tls: { ca, ...other } })).rejects.toMatchObject({
        code: 'link-failed',
      });
    }
  });

  it('with basic credentials, and says so when they are refused', async () => {
    expect(await talks('basic', { credentials: basicCredentials(account) })).toBe(true);
    for (const wrong of [{ credentials: basicCredentials(wrongAccount) }, {}]) {
      await expect(talks('basic', wrong)).rejects.toMatchObject({ code: 'identity-rejected' });
    }
  });

  it('with a JWT over TLS, and says so when it is refused', async () => {
    const jwt = ({ privatePem: pem }: typeof keys) =>
      jwtCredentials({ ...claims, signingKey: { pem, algorithm: 'ES256' } });
    expect(await talks('tls+jwt', { tls: { ca }, credentials: jwt(keys) })).toBe(true);
    const wrong = { tls: { ca }, credentials: jwt(wrongKeys) };
    await expect(talks('tls+jwt', wrong)).rejects.toMatchObject({
      code: 'identity-rejected',
    });
  });

  it('again after it cut the connection because of its age', async () => {
    const app = await connectApp('org/ns/old', http2Dialler(urls['ageing'] ?? ''));
    const statuses: string[] = [];
    const back = new Promise<void>((resolve) => {
      app.on('status', ({ status }) => {
        statuses.push(status);
        if (status === 'connected') resolve();
      });
    });
    await back;
    expect(statuses).toStrictEqual(['reconnecting', 'connected']);
    expect(await isAnswered(app, 'org/ns/echo')).toBe(true);
    await app.close();
  });
});
