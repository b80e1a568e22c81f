import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { sharedSecret, SlimError, type LinkDialler, type SlimApp as App } from '@nestjs-slim/core';
import { loadConfigFile, startNode, type RunningNode } from '@nestjs-slim/node';
import {
  SlimApp,
  basicCredentials,
  http2Dialler,
  jwtCredentials,
  webSocketDialler,
} from '@nestjs-slim/platform-node';
import { makeCertificate } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { SlimCommand, slim } from '../support/slim-command.js';

// Some tests start programs, which takes its time on a busy machine.
jest.setTimeout(60_000);

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const identity = sharedSecret({ secret: 'node-configuration-tests-share-this' });
const password = 'a-password-that-no-output-may-show';
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A folder with these files; `FOLDER` in their texts is its path. */
async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slim-node-'));
  ends.push(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text.replaceAll('FOLDER', folder));
  }
  return folder;
}

async function startFrom(text: string): Promise<RunningNode> {
  const folder = await folderWith({ 'node.yaml': text });
  const { config } = await loadConfigFile(join(folder, 'node.yaml'));
  const node = await startNode(config, { log: silent });
  ends.push(() => node.close());
  return node;
}

async function connect(name: string, node: string | LinkDialler): Promise<App> {
  const app = await SlimApp.connect({ name, identity, node });
  ends.push(() => app.close());
  return app;
}

/** The texts that reach an application, over whichever sessions. */
function textsAt(app: App): string[] {
  const texts: string[] = [];
  const read = async (): Promise<void> => {
    for await (const session of app.sessions()) {
      for await (const { payload } of session) texts.push(new TextDecoder().decode(payload));
    }
  };
  // It ends with the application, which every test closes.
  void read().catch(() => undefined);
  return texts;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Sends one message that is acknowledged. */
async function send(from: App, to: string, text: string): Promise<void> {
  const session = await from.openSession(to, { mls: false });
  await session.publish(encode(text));
  await session.close();
}

const authority = makeCertificate({ subject: 'authority' });
const tls = { ca: authority.cert };
const own = makeCertificate({ subject: 'node', hosts: ['127.0.0.1'], issuer: authority });
const files = { 'tls.crt': own.cert, 'tls.key': own.key, password };

const plain = `
services:
  slim/0:
    pubsub:
      servers: [{ endpoint: "127.0.0.1:0", tls: { insecure: true } }]
`;

describe('slim node --config', () => {
  const secured = `
runtime: { drain_timeout: 8s }
services:
  slim/0:
    dataplane:
      servers:
        - endpoint: "127.0.0.1:0"
          tls: { source: { type: file, cert: FOLDER/tls.crt, key: FOLDER/tls.key } }
          auth: { type: basic, username: app, password: "\${file:FOLDER/password}" }
`;

  it('serves over TLS who has the password, and drains under traffic when it is told to stop', async () => {
    const folder = await folderWith({ ...files, 'node.yaml': secured });
    const node = new SlimCommand('node', '--config', join(folder, 'node.yaml'));
    ends.push(() => node.stop());
    const url = String((await node.line('ready')).url);
    expect(url).toMatch(/^https:/);
    const dialler = (secret: string): LinkDialler => {
      return http2Dialler(url, {
        tls,
        credentials: basicCredentials({ username: 'app', password: secret }),
      });
    };
    await expect(connect('acme/test/stranger', dialler('another'))).rejects.toMatchObject({
      code: 'identity-rejected',
    });

    const sink = await connect('acme/test/sink', dialler(password));
    const received = textsAt(sink);
    const source = await connect('acme/test/source', dialler(password));
    const session = await source.openSession('acme/test/sink', { mls: false });
    const delivered: string[] = [];
    let isStopping = false;
    const publish = async (): Promise<void> => {
      for (let count = 0; !isStopping; count += 1) {
        await session.publish(encode(`message ${count}`));
        delivered.push(`message ${count}`);
      }
    };
    // What is on its way when the applications close is not delivered.
    const traffic = publish().catch(() => undefined);
    while (delivered.length < 100) await new Promise(setImmediate);
    const { code, lines, log } = await node.stop();
    isStopping = true;
    await Promise.all([source.close(), sink.close()]);
    await traffic;

    expect(code).toBe(0);
    expect(lines.at(-1)).toStrictEqual({ event: 'closed', url });
    expect(delivered.filter((text) => !received.includes(text))).toStrictEqual([]);
    expect(log).toContain('"event":"stopped"');
    expect(log).not.toContain(password);
  });

  it('ends at once when it is told to stop again while it drains', async () => {
    const folder = await folderWith({ 'node.yaml': plain });
    const node = new SlimCommand('node', '--config', join(folder, 'node.yaml'));
    const url = String((await node.line('ready')).url);
    // Holds up the drain: it does not hear that its link is to end.
    const deaf = await http2Dialler(url).dial(new AbortController().signal);
    ends.push(() => deaf.destroy(new SlimError('link-closed', 'the test is over')));
    deaf.pause();
    deaf.open({ frame: () => {}, drained: () => {}, closed: () => {} });
    const app = await connect('acme/test/heard', url);
    const isDraining = new Promise<void>((resolve) => {
      app.on('status', ({ status }) => {
        if (status !== 'connected') resolve();
      });
    });
    const first = node.stop();
    await isDraining;
    const { code, log } = await node.stop();
    expect(code).toBe(1);
    expect(log).toContain('"event":"draining"');
    expect(log).not.toContain('"event":"stopped"');
    await first;
  });

  it('is not started by a file that is wrong', async () => {
    const folder = await folderWith({ 'node.yaml': secured.replace('source', 'sauce') });
    const file = join(folder, 'node.yaml');
    const finished = await slim('node', '--config', file);
    expect(finished.code).toBe(1);
    const [{ message } = { message: '' }] = finished.lines;
    expect(message).toContain(
      `${file}:8: services.slim/0.dataplane.servers[0].tls.sauce: unknown key`,
    );
  });
});

describe('slim config check', () => {
  it('says that a file is valid, and what is odd in it', async () => {
    const file = join(await folderWith({ 'node.yaml': plain }), 'node.yaml');
    const { lines, code } = await slim('config', 'check', file);
    const message = 'older spelling, today dataplane';
    const warnings = [{ path: 'services.slim/0.pubsub', line: 4, message }];
    expect([lines, code]).toStrictEqual([[{ event: 'valid', file, warnings }], 0]);
  });

  it('prints a line for each thing that is wrong, and fails', async () => {
    const wrong = plain
      .replace('insecure: true', 'insecure: 1')
      .replace('services', 'runtime: 7\nservices');
    const file = join(await folderWith({ 'node.yaml': wrong }), 'node.yaml');
    const { lines, code } = await slim('config', 'check', file);
    expect(code).toBe(1);
    expect(lines).toMatchObject([
      { event: 'error', code: 'invalid-config', line: 2, path: 'runtime' },
      {
        event: 'error',
        code: 'invalid-config',
        line: 6,
        path: 'services.slim/0.pubsub.servers[0].tls.insecure',
      },
    ]);
  });
});

describe('a node started from a file', () => {
  it('listens on several endpoints, with tokens on one and a WebSocket on the other', async () => {
    const secret = 'signs-the-tokens-that-open-links';
    const node = await startFrom(`
services:
  slim/0:
    dataplane:
      servers:
        - endpoint: "127.0.0.1:0"
          tls: { insecure: true }
          auth:
            type: jwt
            claims: { issuer: acme, audience: [node] }
            key: { type: decoding, algorithm: HS256, format: pem, key: { data: ${secret} } }
        - endpoint: ws://127.0.0.1:0/slim
          tls: { insecure: true }
nestjs_slim: { admin: { endpoint: "127.0.0.1:0" } }
`);
    const [http = '', websocket = ''] = node.urls;
    const claims = { subject: 'a', issuer: 'acme', audience: ['node'] };
    const credentials = jwtCredentials({ ...claims, signingKey: { secret } });
    const received = textsAt(await connect('acme/test/sink', http2Dialler(http, { credentials })));
    await send(
      await connect('acme/test/source', webSocketDialler(websocket)),
      'acme/test/sink',
      'hello',
    );
    expect(received).toStrictEqual(['hello']);
    await expect(connect('acme/test/stranger', http)).rejects.toMatchObject({
      code: 'identity-rejected',
    });
    expect((await fetch(new URL('/readyz', node.adminUrl))).status).toBe(200);
  });

  it('is one of the replicas that the file lists', async () => {
    const ports = [await freePort(), await freePort()];
    const peers = ports.map(
      (port, index) => `{ node_id: node-${index}, endpoint: "http://127.0.0.1:${port}" }`,
    );
    const urls: string[] = [];
    for (const [index, port] of ports.entries()) {
      const node = await startFrom(`
services:
  slim/0:
    node_id: node-${index}
    domain_name: test
    dataplane: { servers: [{ endpoint: "127.0.0.1:${port}", tls: { insecure: true } }] }
    peers: { discovery: { type: static, peers: [${peers.join(', ')}] } }
`);
      urls.push(...node.urls);
    }
    const [first = '', second = ''] = urls;
    const received = textsAt(await connect('acme/test/sink', first));
    await send(await connect('acme/test/source', second), 'acme/test/sink', 'across');
    expect(received).toStrictEqual(['across']);
  });

  it('dials other nodes, with its password, and messages go both ways', async () => {
    const upper = await startFrom(`
services:
  slim/0:
    dataplane:
      servers:
        - endpoint: "127.0.0.1:0"
          tls: { insecure: true }
          auth: { type: basic, username: node, password: ${password} }
`);
    const [upperUrl = ''] = upper.urls;
    const lower = await startFrom(`
services:
  slim/0:
    dataplane:
      servers: [{ endpoint: "127.0.0.1:0", tls: { insecure: true } }]
      clients:
        - endpoint: ${upperUrl}
          connection_type: peer
          auth: { type: basic, username: node, password: ${password} }
`);
    const [lowerUrl = ''] = lower.urls;
    const credentials = basicCredentials({ username: 'node', password });
    const up = await connect('acme/test/up', http2Dialler(upperUrl, { credentials }));
    const down = await connect('acme/test/down', lowerUrl);
    const [atUp, atDown] = [textsAt(up), textsAt(down)];
    await send(down, 'acme/test/up', 'from below');
    await send(up, 'acme/test/down', 'from above');
    expect([atUp, atDown]).toStrictEqual([['from below'], ['from above']]);
  });
});
