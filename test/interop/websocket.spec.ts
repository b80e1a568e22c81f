import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { sharedSecret, type Link, type SlimApp as App } from '@nestjs-slim/core';
import {
  jwtAuthenticator,
  jwtCredentials,
  listenWebSocket,
  SlimApp,
  SlimNode,
  webSocketDialler,
} from '@nestjs-slim/platform-node';
import { SlimModule, slimMicroservice } from 'nestjs-slim';
import { WebSocket } from 'ws';
import { BrowserPage } from '../support/browser-page.js';
import { freePort } from '../support/free-port.js';
import { NativePeer } from '../support/native-peer.js';
import { firstSession, texts } from '../support/sessions.js';

const host = '127.0.0.1';
const secret = 'interop-tests-share-this-secret-of-40-bytes';
const identity = sharedSecret({ secret });
const linkSecret = 'a-secret-for-the-tokens-of-links-only';
const audience = 'nodes';
const service = 'org/ns/service';
const limitMs = 60_000;

/** A node that listens at two WebSocket addresses: one for everybody, one for whoever has a token. */
interface TestNode {
  /** `/slim`, for everybody. */
  readonly open: string;
  /** `/`, with a JWT. */
  readonly guarded: string;
  /** gRPC. */
  readonly grpc: string;
  stop(): Promise<void>;
}

const startNode: Readonly<Record<string, () => Promise<TestNode>>> = {
  'the official node': async () => {
    const [open, guarded, grpc] = [await freePort(), await freePort(), await freePort()];
    const key = { algorithm: 'HS256', format: 'pem', key: { data: linkSecret } };
    const auth = {
      type: 'jwt',
      claims: { audience: [audience] },
      key: { type: 'decoding', ...key },
    };
    const tls = { insecure: true };
    const servers = [
      { endpoint: `ws://${host}:${open}/slim`, tls },
      { endpoint: `ws://${host}:${guarded}`, tls, auth },
      { endpoint: `${host}:${grpc}`, tls },
    ];
    const node = await NativePeer.start();
    await node.startConfiguredNode({ services: { 'slim/0': { dataplane: { servers } } } });
    return {
      open: `ws://${host}:${open}/slim`,
      guarded: `ws://${host}:${guarded}`,
      grpc: `http://${host}:${grpc}`,
      stop: () => node.stop(),
    };
  },
  'our node': async () => {
    const authenticator = jwtAuthenticator({ verificationKey: { secret: linkSecret }, audience });
    const node = await SlimNode.start({
      listen: [
        (accept) => listenWebSocket({ host, port: 0, path: '/slim' }, accept),
        (accept) => listenWebSocket({ host, port: 0, authenticator }, accept),
        { host, port: 0 },
      ],
    });
    const [open = '', guarded = '', grpc = ''] = node.urls;
    return { open, guarded, grpc, stop: () => node.close() };
  },
};

@Controller()
class Echo {
  @MessagePattern(service)
  answer(@Payload() data: unknown): unknown {
    return { answer: data };
  }
}

/** What an address answers to a plain request, or to one for a WebSocket. */
async function statusOf(url: string, { upgrade = true, path = '' } = {}): Promise<unknown> {
  const headers = upgrade && {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const address = url.replace('ws:', 'http:') + path;
  const request = httpRequest(address, { headers: headers || {}, agent: false }).end();
  request.on('upgrade', (_response, socket) => socket.destroy());
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  const upgraded = once(request, 'upgrade') as Promise<[IncomingMessage]>;
  const [response] = await Promise.race([answered, upgraded]);
  response.resume();
  upgraded.catch(() => undefined);
  answered.catch(() => undefined);
  return response.statusCode;
}

/** The code that a node ends a WebSocket with, once it got these messages. */
async function closeCode(
  url: string,
  ...messages: readonly (string | Uint8Array)[]
): Promise<unknown> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  for (const message of messages) socket.send(message);
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

let page: BrowserPage;
beforeAll(async () => {
  page = await BrowserPage.start();
}, limitMs);
afterAll(() => page?.close(), limitMs);

describe.each(Object.entries(startNode))('WebSocket links at %s', (kind, start) => {
  let node: TestNode;
  let official: NativePeer;
  let ours: App;
  let nest: INestMicroservice;
  beforeAll(async () => {
    node = await start();
    official = await NativePeer.start();
    await official.connect(node.open);
    await official.app({ name: 'org/ns/official', secret });
    ours = await SlimApp.connect({ name: 'org/ns/ours', identity, node: node.open });
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot({ name: service, identity, node: node.grpc })],
      controllers: [Echo],
    }).compile();
    nest = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    await nest.listen();
  }, limitMs);
  afterAll(async () => {
    await nest?.close();
    await ours?.close();
    await official?.stop();
    await node?.stop();
  }, limitMs);

  it.each([true, false])(
    'carry a session of ours to an official application; MLS: %s',
    async (mls) => {
      const [session, accepted] = await Promise.all([
        ours.openSession('org/ns/official', { mls }),
        official.accept(),
      ]);
      void official.echo(accepted);
      const sent = Array.from({ length: 20 }, (_, index) => `message ${index}`);
      const answers = texts(session, sent.length);
      for (const text of sent) await session.publish(Buffer.from(text));
      expect((await answers).map(({ text }) => text)).toStrictEqual(sent);
      const large = await session.request(new Uint8Array(1_000_000).fill(7), { timeoutMs: 10_000 });
      expect(large.payload).toHaveLength(1_000_000);
      await session.close();
    },
    limitMs,
  );

  it(
    'carry a session of an official application to ours',
    async () => {
      const accepting = firstSession(ours);
      const opened = await official.open('org/ns/ours', { mls: true });
      const session = await accepting;
      await official.publishMany(opened, 10, 'from it ');
      const sent = Array.from({ length: 10 }, (_, index) => `from it ${index}`);
      expect((await texts(session, sent.length)).map(({ text }) => text)).toStrictEqual(sent);
      await session.publish(Buffer.from('from us'));
      expect((await official.receive(opened, 1))[0]?.text).toBe('from us');
      await session.close();
    },
    limitMs,
  );

  it(
    'carry a session of a page in a browser to a Nest service on gRPC',
    async () => {
      const opened = await page.open({ node: node.open, service, secret });
      expect(opened).toMatch(/^session with org\/ns\/service\/[0-9a-f-]{36}, MLS: true$/);
      for (const text of ['first', 'second']) {
        expect(JSON.parse(await page.ask(text))).toStrictEqual({ answer: { text } });
      }
      expect(page.complaints).toStrictEqual([]);
    },
    limitMs,
  );

  it('answer requests that get no link', async () => {
    expect({
      wrongPath: await statusOf(node.open, { path: '/' }),
      noUpgrade: await statusOf(node.open, { upgrade: false }),
      wrongPathNoUpgrade: await statusOf(node.open, { upgrade: false, path: 'x' }),
      right: await statusOf(node.open, { path: '?any=thing' }),
      noToken: await statusOf(node.guarded),
      wrongToken: await statusOf(node.guarded, { path: '/?token=a.b.c' }),
    }).toStrictEqual({
      wrongPath: 404,
      noUpgrade: 400,
      wrongPathNoUpgrade: 404,
      right: 101,
      noToken: 401,
      wrongToken: 401,
    });
  });

  it('let in who has a token, in the header or in the query', async () => {
    const signingKey = { secret: linkSecret };
    const subject = 'link-client';
    const credentials = jwtCredentials({
      subject,
      issuer: 'tests',
      audience: [audience],
      signingKey,
    });
    const dialler = webSocketDialler(node.guarded, { credentials });
    const app = await SlimApp.connect({ name: 'org/ns/header', identity, node: dialler });
    await app.close();
    const token = (await credentials.authorization()).replace('Bearer ', '');
    const url = `${node.guarded}/?token=${encodeURIComponent(token)}`;
    const page = await SlimApp.connect({ name: 'org/ns/query', identity, node: url });
    await page.close();
    const nobody = SlimApp.connect({ name: 'org/ns/nobody', identity, node: node.guarded });
    await expect(nobody).rejects.toMatchObject({ code: 'identity-rejected' });
  });

  it(
    'let in an official client that has a token, and no other',
    async () => {
      const key = { algorithm: 'HS256', format: 'pem', key: { data: linkSecret } };
      const claims = { subject: 'official', issuer: 'tests', audience: [audience] };
      const auth = { type: 'jwt', claims, duration: '1h', key: { type: 'encoding', ...key } };
      const client = await NativePeer.start();
      try {
        // It takes a refusal for a node that is not there, and would try again forever.
        const backoff = { type: 'fixed_interval', interval: '10ms', max_attempts: 1 };
        await expect(client.connect(node.guarded, { backoff })).rejects.toThrow('401');
        await client.connect(node.guarded, { auth });
      } finally {
        await client.stop();
      }
    },
    limitMs,
  );

  it('end when what comes is no frame', async () => {
    expect({
      text: await closeCode(node.open, 'hello'),
      undecodable: await closeCode(node.open, Uint8Array.of(0xff, 0xff, 0xff)),
      notNegotiated: await closeCode(node.open, new Uint8Array()),
    }).toStrictEqual({
      text: kind === 'our node' ? 1003 : 1000,
      undecodable: 1006,
      notNegotiated: 1006,
    });
  });
});

it(
  'an official client comes back when our node ended its link in order, as it does at its age',
  async () => {
    const links: Link[] = [];
    let wake: () => void = () => undefined;
    const node = await SlimNode.start({
      listen: (accept) =>
        listenWebSocket({ host, port: 0 }, (link) => {
          links.push(link);
          accept(link);
          wake();
        }),
    });
    const client = await NativePeer.start();
    const app = await SlimApp.connect({ name: 'org/ns/local', identity, node });
    try {
      await client.connect(node.url ?? '');
      await client.app({ name: 'org/ns/returning', secret });
      await links[0]?.close();
      while (links.length < 2) await new Promise<void>((resolve) => (wake = resolve));
      const [session, accepted] = await Promise.all([
        app.openSession('org/ns/returning'),
        client.accept(),
      ]);
      void client.echo(accepted);
      const answer = await session.request(Buffer.from('still here'), { timeoutMs: 10_000 });
      expect(Buffer.from(answer.payload).toString()).toBe('still here');
    } finally {
      await app.close();
      await client.stop();
      await node.close();
    }
  },
  limitMs,
);
