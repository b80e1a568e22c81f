import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { workloadAudience, workloadIdentity, type SlimApp as App } from '@nestjs-slim/core';
import {
  fileTokenSource,
  http2Dialler,
  jwtAuthenticator,
  SlimApp,
  SlimNode,
  staticTokenCredentials,
} from '@nestjs-slim/platform-node';
import { freePort } from '../support/free-port.js';
import { NativePeer } from '../support/native-peer.js';
import { firstChannel, firstSession, texts } from '../support/sessions.js';
import { mintSvid, WorkloadApi } from '../support/workload-api.js';

const trustDomain = 'example.org';
const spire = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...spire.publicKey.export({ format: 'jwk' }), kid: 'spire' }] };
const officialId = `spiffe://${trustDomain}/official`;
const ourId = `spiffe://${trustDomain}/ours`;

let folder: string;
let socketPath: string;
let node: SlimNode;
let api: WorkloadApi;
let official: NativePeer;
let ours: App;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-spire-'));
  socketPath = join(folder, 'agent.sock');
  api = await WorkloadApi.start({
    socketPath,
    trustDomain,
    spiffeId: officialId,
    signingKey: spire.privateKey,
    bundle: JSON.stringify(jwks),
  });
  node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
  official = await NativePeer.start();
  await official.connect(node.url ?? '');
  await official.app({ name: 'org/ns/official', spire: { socketPath, audience: ['slim'] } });
  ours = await connectOurs('ours', ourId);
});

afterAll(async () => {
  await ours.close();
  await official.stop();
  await node.close();
  await api.stop();
  await rm(folder, { recursive: true });
});

/** Ours, with a token in a file as spiffe-helper leaves it there. */
async function connectOurs(service: string, spiffeId: string, audience = 'slim'): Promise<App> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPair = { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  const audiences = [audience, await workloadAudience(keyPair)];
  const path = join(folder, `${service}.token`);
  await writeFile(path, await mintSvid({ spiffeId, signingKey: spire.privateKey }, audiences));
  return SlimApp.connect({
    name: `org/ns/${service}`,
    node: node.url ?? '',
    identity: workloadIdentity({
      source: fileTokenSource(path),
      keyPair,
      trust: { [trustDomain]: { jwks } },
      audience,
    }),
  });
}

// Reference: identity 9.
describe('an official application with SPIRE and one of ours with a token from a file', () => {
  it('write their keys into the audience alike', () => {
    expect(api.asked[0]).toStrictEqual(['slim', expect.stringMatching(/^slim-claims:ey/)]);
  });

  it.each([
    { inviter: 'ours', mls: true },
    { inviter: 'ours', mls: false },
    { inviter: 'official', mls: true },
    { inviter: 'official', mls: false },
  ])('talk to each other: %o', async ({ inviter, mls }) => {
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
    expect(first?.message.identity.subject).toBe(officialId);
    await session.close();
  });

  it('meet in a channel', async () => {
    const channel = await ours.createChannel('org/ns/room');
    const [native] = await Promise.all([official.accept(), channel.invite('org/ns/official')]);
    const app = await connectOurs('member', `spiffe://${trustDomain}/member`);
    const [member] = await Promise.all([firstChannel(app), channel.invite('org/ns/member')]);
    await official.publish(native, 'from official', { wait: true });
    for (const each of [channel, member]) {
      expect((await texts(each, 1))[0]?.text).toBe('from official');
    }
    await channel.close();
    await app.close();
  });

  it('refuse a token for another audience', async () => {
    const stranger = await connectOurs('stranger', `spiffe://${trustDomain}/x`, 'elsewhere');
    for (const target of ['org/ns/official', 'org/ns/ours']) {
      const opening = stranger.openSession(target, { discoveryMs: 300 });
      await expect(opening).rejects.toMatchObject({ code: 'no-route' });
    }
    await stranger.close();
  });
});

describe('a link that an SVID opens', () => {
  it.each([
    { audience: 'nodes', subject: officialId },
    { audience: 'nodes', subject: ourId, refused: 'what the token claims is not accepted' },
    { audience: 'x', subject: officialId, refused: 'the token is for another audience than nodes' },
  ])('is one of an official client at our node: %o', async ({ audience, subject, refused }) => {
    const guarded = await SlimNode.start({
      listen: {
        host: '127.0.0.1',
        port: 0,
        authenticator: jwtAuthenticator({
          verificationKey: { jwks },
          audience: 'nodes',
          accept: ({ sub }) => sub === subject,
        }),
      },
    });
    const refusals: string[] = [];
    guarded.on('refused', ({ reason }) => refusals.push(reason.message));
    const client = await NativePeer.start();
    const auth = { type: 'spire', socket_path: socketPath, jwt_audiences: [audience] };
    const backoff = { type: 'fixed_interval', interval: '100ms', max_attempts: 1 };
    const outcome = await client.connect(guarded.url ?? '', { auth, backoff }).catch(String);
    expect(outcome).toEqual(refused && expect.stringContaining('401'));
    expect(refusals).toStrictEqual(refused ? [refused] : []);
    await client.stop();
    await guarded.close();
  });

  it('is ours at an official node, unless it is for another audience', async () => {
    const guarded = await NativePeer.start();
    const auth = { type: 'spire', socketPath, audience: ['nodes'] } as const;
    const url = await guarded.startNode(await freePort(), { auth });
    const dial = async (audience: string) => {
      const path = join(folder, `link-${audience}.token`);
      const workload = { spiffeId: ourId, signingKey: spire.privateKey };
      await writeFile(path, await mintSvid(workload, [audience]));
      const dialler = http2Dialler(url, { credentials: staticTokenCredentials(path) });
      return dialler.dial(AbortSignal.timeout(5_000));
    };
    await (await dial('nodes')).close();
    await expect(dial('x')).rejects.toMatchObject({ code: 'identity-rejected' });
    await guarded.stop();
  });
});
