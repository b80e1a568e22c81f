import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jwtSigner, sharedSecret, type JwtSignerOptions } from '@nestjs-slim/core';
import {
  basicAuthenticator,
  basicCredentials,
  http2Dialler,
  jwtAuthenticator,
  jwtCredentials,
  SlimApp,
  SlimNode,
  staticTokenCredentials,
  type LinkAuthenticator,
  type LinkCredentials,
} from '@nestjs-slim/platform-node';
import { freePort } from '../support/free-port.js';
import { NativePeer, type NativeServerAuth } from '../support/native-peer.js';
import { firstSession, texts } from '../support/sessions.js';

const secret = 'a shared secret of the tests, long enough';
const issuer = 'https://issuer.example';
const audience = ['nodes'];
const account = { username: 'admin', password: 'correct horse' };

const pemPair = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const ownPair = pemPair();
const otherPair = pemPair();

const signing = { pem: ownPair.privateKey, algorithm: 'ES256' } as const;
const verifying = { pem: ownPair.publicKey, algorithm: 'ES256' } as const;
const claims = { subject: 'billing-1', issuer, audience };

/** The ways in that a node offers, as ours and as an official one is told. */
const ways = {
  basic: { ours: basicAuthenticator(account), official: { type: 'basic', ...account } },
  HS256: {
    ours: jwtAuthenticator({ verificationKey: { secret }, issuer, audience }),
    official: { type: 'jwt', key: secret, algorithm: 'Hs256', issuer, audience },
  },
  ES256: {
    ours: jwtAuthenticator({ verificationKey: verifying, issuer, audience }),
    official: { type: 'jwt', key: ownPair.publicKey, algorithm: 'Es256', issuer, audience },
  },
} as const satisfies Record<string, { ours: LinkAuthenticator; official: NativeServerAuth }>;
type Way = keyof typeof ways;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-link-auth-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with a token, and with something behind it. */
async function tokenFile(name: string, options: JwtSignerOptions, behind = ''): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, (await jwtSigner(options)()) + behind);
  return path;
}

describe('an official client at our node', () => {
  let node: SlimNode;
  let client: NativePeer;
  const refusals: string[] = [];

  beforeAll(async () => {
    const listeners = Object.values(ways).map(({ ours: authenticator }) => ({
      host: '127.0.0.1',
      port: 0,
      authenticator,
    }));
    node = await SlimNode.start({ listen: listeners });
    node.on('refused', ({ reason }) => refusals.push(reason.message));
    client = await NativePeer.start();
  });
  afterAll(async () => {
    await client.stop();
    await node.close();
  });

  const urlOf = (way: Way): string => node.urls[Object.keys(ways).indexOf(way)] ?? '';
  const once = { backoff: { type: 'fixed_interval', interval: '100ms', max_attempts: 1 } };
  /** What stands in the official client configuration under `auth`. */
  const basic = (password: string) => ({ type: 'basic', ...account, password });
  const jwt = (algorithm: string, data: string, changed: object = {}) => ({
    type: 'jwt',
    duration: '1h',
    claims: { ...claims, ...changed },
    key: { type: 'encoding', algorithm, format: 'pem', key: { data } },
  });
  const staticJwt = (file: string) => ({ type: 'static_jwt', file, duration: '1h' });

  it.each([
    ['basic', basic(account.password)],
    ['HS256', jwt('HS256', secret)],
    ['ES256', jwt('ES256', ownPair.privateKey)],
    ['ES256', jwt('ES256', ownPair.privateKey, { subject: undefined })],
  ] as const)('is let in by %s', async (way, auth) => {
    await client.connect(urlOf(way), { ...once, auth });
    await expect(client.disconnect()).resolves.toBeUndefined();
  });

  it('is let in by a token from a file', async () => {
    const path = await tokenFile('good', { ...claims, signingKey: signing });
    await client.connect(urlOf('ES256'), { ...once, auth: staticJwt(path) });
    await expect(client.disconnect()).resolves.toBeUndefined();
  });

  it.each([
    ['basic', 'with a wrong password', basic('wrong'), 'wrong user name or password'],
    ['basic', 'with a token', jwt('HS256', secret), 'expected Basic credentials, got others'],
    ['basic', 'with nothing', undefined, 'expected Basic credentials, got none'],
    ['HS256', 'with another secret', jwt('HS256', `${secret}!`), 'the signature of the token'],
    ['ES256', 'with another key', jwt('ES256', otherPair.privateKey), 'the signature'],
    ['ES256', 'with another algorithm', jwt('HS256', secret), 'is not signed with ES256'],
    [
      'ES256',
      'of another issuer',
      jwt('ES256', ownPair.privateKey, { issuer: 'x' }),
      'another issuer',
    ],
    [
      'ES256',
      'for another audience',
      jwt('ES256', ownPair.privateKey, { audience: ['x'] }),
      'another audience',
    ],
    ['ES256', 'with a password', basic(account.password), 'expected Bearer credentials'],
    ['ES256', 'with nothing', undefined, 'expected Bearer credentials, got none'],
  ] as const)('is refused by %s %s', async (way, _what, auth, why) => {
    refusals.length = 0;
    const connecting = client.connect(urlOf(way), { ...once, ...(auth && { auth }) });
    await expect(connecting).rejects.toThrow('401');
    expect(refusals).toStrictEqual([expect.stringContaining(why)]);
  });

  it('is refused with a line break after the token in its file, which it then does not send', async () => {
    const path = await tokenFile('line-break', { ...claims, signingKey: signing }, '\n');
    refusals.length = 0;
    const connecting = client.connect(urlOf('ES256'), { ...once, auth: staticJwt(path) });
    await expect(connecting).rejects.toThrow('401');
    expect(refusals).toStrictEqual(['expected Bearer credentials, got none']);
  });

  it('talks to an application of ours that came in by another way', async () => {
    await client.connect(urlOf('ES256'), { ...once, auth: jwt('ES256', ownPair.privateKey) });
    await client.app({ name: 'org/ns/official', secret });
    const ours = await SlimApp.connect({
      name: 'org/ns/ours',
      node: http2Dialler(urlOf('basic'), { credentials: basicCredentials(account) }),
      identity: sharedSecret({ secret }),
    });
    const [session, native] = await Promise.all([
      firstSession(ours),
      client.open('org/ns/ours', { mls: true, reliable: true }),
    ]);
    await client.publish(native, 'to ours', { wait: true });
    expect((await texts(session, 1))[0]?.text).toBe('to ours');
    await session.close();
    await ours.close();
  });
});

describe('our dialler at an official node', () => {
  const nodes = new Map<Way, { readonly url: string; readonly node: NativePeer }>();

  beforeAll(async () => {
    await Promise.all(
      Object.entries(ways).map(async ([way, { official: auth }]) => {
        const node = await NativePeer.start();
        nodes.set(way as Way, { node, url: await node.startNode(await freePort(), { auth }) });
      }),
    );
  });
  afterAll(() => Promise.all([...nodes.values()].map(({ node }) => node.stop())));

  const connect = (way: Way, credentials: LinkCredentials | undefined) =>
    SlimApp.connect({
      name: 'org/ns/ours',
      node: http2Dialler(nodes.get(way)?.url ?? '', credentials && { credentials }),
      identity: sharedSecret({ secret }),
    });
  const byKey = (changed: Partial<JwtSignerOptions> = {}) =>
    jwtCredentials({ ...claims, signingKey: signing, ...changed });

  it.each([
    ['basic', basicCredentials(account)],
    ['HS256', jwtCredentials({ ...claims, signingKey: { secret } })],
    ['ES256', byKey()],
  ] as const)('is let in by %s', async (way, credentials) => {
    const app = await connect(way, credentials);
    expect(app.status).toBe('connected');
    await app.close();
  });

  it('is let in by a token from a file, with a line break behind it', async () => {
    const path = await tokenFile('ours', { ...claims, signingKey: signing }, '\r\n');
    const app = await connect('ES256', staticTokenCredentials(path));
    expect(app.status).toBe('connected');
    await app.close();
  });

  it.each([
    ['basic', 'with a wrong password', basicCredentials({ ...account, password: 'wrong' })],
    ['basic', 'with nothing', undefined],
    ['HS256', 'with another secret', jwtCredentials({ signingKey: { secret: `${secret}!` } })],
    ['ES256', 'with nothing', undefined],
    ['ES256', 'of another issuer', byKey({ issuer: 'x' })],
    ['ES256', 'for another audience', byKey({ audience: 'x' })],
    [
      'ES256',
      'with another key',
      byKey({ signingKey: { pem: otherPair.privateKey, algorithm: 'ES256' } }),
    ],
  ] as const)('is refused by %s %s', async (way, _what, credentials) => {
    await expect(connect(way, credentials)).rejects.toMatchObject({
      code: 'identity-rejected',
      message: expect.stringContaining('HTTP status 401'),
    });
  });
});
