import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  jwt,
  systemClock,
  type Clock,
  type Fetch,
  type JwtVerificationKey,
  type SlimApp as App,
  type SlimError,
} from '@nestjs-slim/core';
import { SlimApp, SlimNode } from '@nestjs-slim/platform-node';
import { NativePeer } from '../support/native-peer.js';
import { firstChannel, firstSession, texts } from '../support/sessions.js';

const issuer = 'https://issuer.example';
const audience = 'interop';
const discoveryMs = 300;

interface Claims {
  readonly issuer: string;
  readonly audience: string;
}

const pemPair = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const ownPair = pemPair();
const otherPair = pemPair();

/** A clock that is wrong by so much. */
const shifted = (byMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + byMs });

let node: SlimNode;
let ours: App;
let official: NativePeer;

beforeAll(async () => {
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  official = await startOfficial('official');
  ours = await connectOurs('ours');
});

afterAll(async () => {
  await ours.close();
  await official.stop();
  await node.close();
});

async function startOfficial(
  service: string,
  claims: Claims = { issuer, audience },
  pair = ownPair,
): Promise<NativePeer> {
  const peer = await NativePeer.start();
  await peer.connect(node.url ?? '');
  await peer.app({
    name: `org/ns/${service}`,
    jwt: {
      subject: service,
      issuer: claims.issuer,
      audience: [claims.audience],
      privateKeyPem: pair.privateKey,
      publicKeyPem: pair.publicKey,
    },
  });
  return peer;
}

function connectOurs(
  service: string,
  {
    pair = ownPair,
    clock = systemClock,
    verificationKey,
    ...claims
  }: Partial<Claims> & Deviation = {},
): Promise<App> {
  return SlimApp.connect({
    name: `org/ns/${service}`,
    node: node.url ?? '',
    clock,
    identity: jwt({
      subject: service,
      issuer,
      audience,
      ...claims,
      signingKey: { pem: pair.privateKey, algorithm: 'ES256' },
      verificationKey: verificationKey ?? { pem: pair.publicKey, algorithm: 'ES256' },
    }),
  });
}

interface Deviation {
  readonly pair?: typeof ownPair;
  readonly clock?: Clock;
  readonly verificationKey?: JwtVerificationKey;
}

/** What ours refuses next. */
const refusal = (): Promise<SlimError> =>
  new Promise((resolve) => {
    const stop = ours.on('dropped', (reason) => {
      stop();
      resolve(reason);
    });
  });

describe.each([{ mls: true }, { mls: false }])('a session of two with %o', ({ mls }) => {
  it.each(['ours', 'official'])('that %s opens', async (inviter) => {
    const [session, native] =
      inviter === 'ours'
        ? await Promise.all([ours.openSession('org/ns/official', { mls }), official.accept()])
        : await Promise.all([
            firstSession(ours),
            official.open('org/ns/ours', { mls, reliable: true }),
          ]);
    await session.publish(Buffer.from('to official'));
    expect((await official.receive(native, 1))[0]?.text).toBe('to official');
    await official.publish(native, 'to ours', { wait: true });
    const [first] = await texts(session, 1);
    expect(first?.text).toBe('to ours');
    expect(first?.message.identity).toMatchObject({
      subject: 'official',
      claims: { iss: issuer, aud: [audience] },
    });
    await session.close();
  });
});

it('finds the key of an official application in a key set of its issuer', async () => {
  // An official application names its subject as the key, so none is found by that.
  const jwk = createPublicKey(ownPair.publicKey).export({ format: 'jwk' });
  const asked: string[] = [];
  const fetch: Fetch = (url) => {
    asked.push(url);
    return Promise.resolve(
      url.endsWith('/jwks.json')
        ? new Response(JSON.stringify({ keys: [{ ...jwk, kid: 'of the issuer', alg: 'ES256' }] }))
        : new Response('', { status: 404 }),
    );
  };
  const app = await connectOurs('by-issuer', { verificationKey: { issuers: [issuer], fetch } });
  const [session, native] = await Promise.all([
    firstSession(app),
    official.open('org/ns/by-issuer', { mls: true, reliable: true }),
  ]);
  await official.publish(native, 'to ours', { wait: true });
  expect((await texts(session, 1))[0]?.text).toBe('to ours');
  expect(asked).toStrictEqual([
    `${issuer}/.well-known/openid-configuration`,
    `${issuer}/.well-known/jwks.json`,
  ]);
  await session.close();
  await app.close();
});

describe('a channel', () => {
  it('that ours moderates', async () => {
    const channel = await ours.createChannel('org/ns/our-room');
    const [native] = await Promise.all([official.accept(), channel.invite('org/ns/official')]);
    const app = await connectOurs('member');
    const [member] = await Promise.all([firstChannel(app), channel.invite('org/ns/member')]);
    await channel.publish(Buffer.from('from the moderator'));
    expect((await official.receive(native, 1))[0]?.text).toBe('from the moderator');
    await official.publish(native, 'from official', { wait: true });
    expect((await texts(channel, 1))[0]?.text).toBe('from official');
    expect((await texts(member, 2)).map(({ text }) => text)).toStrictEqual([
      'from the moderator',
      'from official',
    ]);
    await channel.close();
    await app.close();
  });

  it('that official moderates', async () => {
    const native = await official.createGroup('org/ns/their-room', { mls: true, reliable: true });
    const [channel] = await Promise.all([
      firstChannel(ours),
      official.invite(native, 'org/ns/ours'),
    ]);
    const app = await connectOurs('member');
    const [member] = await Promise.all([
      firstChannel(app),
      official.invite(native, 'org/ns/member'),
    ]);
    await official.publish(native, 'from official', { wait: true });
    for (const each of [channel, member]) {
      expect((await texts(each, 1))[0]?.text).toBe('from official');
    }
    await channel.publish(Buffer.from('from ours'));
    expect((await official.receive(native, 1))[0]?.text).toBe('from ours');
    expect((await texts(member, 1))[0]?.text).toBe('from ours');
    await official.close(native);
    expect(await channel.ended).toMatchObject({ code: 'session-closed' });
    await app.close();
  });
});

describe('what is wrong is refused on both sides', () => {
  it.each([
    ['issuer', { issuer: 'https://other.example' }],
    ['audience', { audience: 'elsewhere' }],
    ['key', { pair: otherPair }],
    ['time, an hour and 100 s late', { clock: shifted(-3_700_000) }],
  ] as const)('our application with another %s', async (_what, deviation) => {
    const stranger = await connectOurs('stranger', deviation);
    const refused = refusal();
    for (const target of ['org/ns/official', 'org/ns/ours']) {
      await expect(stranger.openSession(target, { discoveryMs })).rejects.toMatchObject({
        code: 'no-route',
      });
    }
    expect(await refused).toMatchObject({ code: 'identity-rejected' });
    await stranger.close();
  });

  it.each([
    ['issuer', { issuer: 'https://other.example', audience }, ownPair, 'another issuer'],
    ['audience', { issuer, audience: 'elsewhere' }, ownPair, 'another audience'],
    ['key', { issuer, audience }, otherPair, 'the signature'],
  ] as const)('an official application with another %s', async (_what, claims, pair, why) => {
    const stranger = await startOfficial('stranger', claims, pair);
    const refused = refusal();
    const options = { intervalMs: 100, maxRetries: 2, reliable: true };
    await expect(stranger.open('org/ns/ours', options)).rejects.toThrow('retries exhausted');
    expect(await refused).toMatchObject({
      code: 'identity-rejected',
      message: expect.stringContaining(why),
    });
    await stranger.stop();
  });
});
