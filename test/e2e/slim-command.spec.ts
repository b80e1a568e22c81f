import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { slim, SlimCommand } from '../support/slim-command.js';

// Every test starts several programs, which takes its time on a busy machine.
jest.setTimeout(60_000);

const secret = 'command-line-tests-share-this-secret';

let node: SlimCommand;
let url: string;
let echo: SlimCommand;
let common: readonly string[];

beforeAll(async () => {
  node = new SlimCommand('node', '--listen', '127.0.0.1:0');
  url = String((await node.line('ready')).url);
  common = ['--node', url, '--secret', secret];
  echo = new SlimCommand('listen', 'acme/test/echo', '--echo', ...common);
  await echo.line('ready');
});

afterAll(async () => {
  await echo.stop();
  await node.stop();
});

describe('slim node', () => {
  it('ends in order when it is asked to', async () => {
    const own = new SlimCommand('node', '--listen', '127.0.0.1:0');
    const { url: at } = await own.line('ready');
    const { lines, code } = await own.stop();
    expect(lines.at(-1)).toStrictEqual({ event: 'closed', url: at });
    expect(code).toBe(0);
  });
});

describe('slim request', () => {
  it.each([
    [['--mls', '--reliable'], { mls: true, reliable: true }],
    [['--no-mls', '--reliable'], { mls: false, reliable: true }],
    [['--no-mls', '--no-reliable'], { mls: false, reliable: false }],
    [[], { mls: true, reliable: true }],
  ])('prints each reply with %p', async (flags, mode) => {
    const { lines, code } = await slim(
      ...['request', 'acme/test/echo', '--data', 'grüße', '--count', '3', ...flags, ...common],
    );
    expect(lines.map(({ event }) => event)).toStrictEqual([
      ...['session', 'message', 'message', 'message', 'closed'],
    ]);
    expect(lines[0]).toMatchObject(mode);
    expect(lines[1]).toMatchObject({ text: 'grüße', bytes: 7 });
    expect(String(lines[1]?.source)).toMatch(/^acme\/test\/echo\/[0-9a-f-]{36}$/);
    expect(code).toBe(0);
  });

  it('is seen by the listener as session, messages and end', async () => {
    const own = new SlimCommand('listen', 'acme/test/once', '--echo', ...common);
    await own.line('ready');
    await slim('request', 'acme/test/once', '--data', 'x', '--name', 'acme/test/me', ...common);
    const { lines, code } = await own.stop();
    expect(lines.map(({ event }) => event)).toStrictEqual([
      ...['ready', 'session', 'message', 'closed'],
    ]);
    expect(String(lines[2]?.source)).toMatch(/^acme\/test\/me\//);
    expect(code).toBe(0);
  });

  it('fails with timeout when the other side does not reply', async () => {
    const mute = new SlimCommand('listen', 'acme/test/mute', ...common);
    await mute.line('ready');
    const { lines, code } = await slim(
      ...['request', 'acme/test/mute', '--reply-timeout', '50', ...common],
    );
    expect(lines.at(-1)).toMatchObject({ event: 'error', code: 'timeout' });
    expect(code).toBe(1);
    await mute.stop();
  });
});

describe('bad input gives one line of JSON and exit code 1', () => {
  const other = 'another-secret-of-at-least-32-bytes!';
  it.each([
    [['request', 'acme/test'], 'invalid-name', '"acme/test"'],
    [['request', 'acme/test/nobody', '--timeout', '50'], 'no-route', 'acme/test/nobody'],
    [['request', 'acme/test/echo', '--timeout', '50', '--secret', other], 'no-route', 'echo'],
    [['request', 'acme/test/echo', '--secret', 'short'], 'invalid-config', '32 bytes'],
    [['request', 'acme/test/echo', '--node', 'http://127.0.0.1:1'], 'link-failed', '127.0.0.1:1'],
    [['request', 'acme/test/echo', '--node', 'nowhere'], 'invalid-config', '"nowhere"'],
    [['request', 'acme/test/echo', '--count', 'many'], 'invalid-config', '"many"'],
    [['request', 'acme/test/echo', '--bogus'], 'invalid-config', '--bogus'],
    [['request'], 'invalid-config', 'NAME'],
    [['listen', 'a//b'], 'invalid-name', '"a//b"'],
  ])('%p gives %s', async (words, code, named) => {
    const [command = '', ...rest] = words;
    const finished = await slim(command, ...common, ...rest);
    expect(finished.lines).toHaveLength(1);
    expect(finished.lines[0]).toMatchObject({ event: 'error', code });
    expect(finished.lines[0]?.message).toContain(named);
    expect(finished.code).toBe(1);
  });

  it('an unknown command', async () => {
    const { lines, code, log } = await slim('dance');
    expect(lines).toMatchObject([{ event: 'error', code: 'invalid-config' }]);
    expect(log).toContain('slim node');
    expect(code).toBe(1);
  });

  it('a port that something else than a node has', async () => {
    const server = createServer((_request, response) => response.end('hello')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const target = `http://127.0.0.1:${port}`;
    const { lines, code } = await slim('request', 'a/b/c', ...common, '--node', target);
    expect(lines).toMatchObject([{ event: 'error', code: 'link-failed' }]);
    expect(code).toBe(1);
    server.close();
  });

  it('a port that is taken', async () => {
    const { port } = new URL(url);
    const { lines, code } = await slim('node', '--listen', `127.0.0.1:${port}`);
    expect(lines).toMatchObject([{ event: 'error', code: 'link-failed' }]);
    expect(code).toBe(1);
  });
});

describe('slim node --config', () => {
  const file = (plane: string, more = ''): string => `
tracing: { log_level: info }
runtime: { n_cores: 0 }
services:
  slim/0:
    ${plane}:
      servers:
        - endpoint: "127.0.0.1:0"
          tls: { insecure: ${more === '' ? 'true' : more} }
      clients: []
`;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slim-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['dataplane', 'pubsub'])('reads the official file, %s style', async (plane) => {
    const path = join(folder, `${plane}.yaml`);
    await writeFile(path, file(plane));
    const configured = new SlimCommand('node', '--config', path);
    const ready = await configured.line('ready');
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await configured.stop()).code).toBe(0);
  });

  it.each([
    [file('dataplan'), 'services.slim/0.dataplan'],
    [file('dataplane', 'false'), 'servers[0].tls.insecure'],
    ['services: [', 'config.yaml'],
  ])('refuses what it does not understand and names it', async (content, named) => {
    const path = join(folder, 'config.yaml');
    await writeFile(path, content);
    const { lines, code } = await slim('node', '--config', path);
    expect(lines).toMatchObject([{ event: 'error', code: 'invalid-config' }]);
    expect(lines[0]?.message).toContain(named);
    expect(code).toBe(1);
  });
});
