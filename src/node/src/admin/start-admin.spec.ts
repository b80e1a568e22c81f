import { request } from 'node:http';
import { once } from 'node:events';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createLog } from './log.js';
import { startAdmin, type Admin } from './start-admin.js';
import { FakeNode } from './testing/fake-node.js';

const open: Admin[] = [];

afterEach(async () => {
  for (const admin of open.splice(0)) await admin.close();
});

async function setup(endpoint = '127.0.0.1:0') {
  const lines: string[] = [];
  const node = new FakeNode();
  const log = createLog({ destination: { write: (line) => void lines.push(line) } });
  const admin = await startAdmin(node, { endpoint, log });
  open.push(admin);
  const ask = async (path: string, method = 'GET', host?: string) => {
    const sent = request(new URL(path, admin.url), { method, ...(host && { headers: { host } }) });
    sent.end();
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const { statusCode: status, headers } = response;
    return { status, headers, text: await textOf(response) };
  };
  return { admin, node, log, lines, ask };
}

describe('startAdmin', () => {
  it('serves the page under a policy that lets no other script run', async () => {
    const { ask } = await setup();
    const { status, headers, text } = await ask('/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(text).not.toMatch(/https?:|<script>|style=|\son\w+=/);
    for (const [, path = ''] of text.matchAll(/(?:src|href)="([\w.]+)"/g)) {
      expect([path, (await ask(path)).status]).toStrictEqual([path, 200]);
    }
  });

  it('answers HEAD with the headers alone, and anything but reading with 405', async () => {
    const { ask } = await setup();
    const head = await ask('/metrics', 'HEAD');
    expect([head.status, head.text]).toStrictEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
    expect((await ask('/', 'POST')).status).toBe(405);
  });

  it('is not for names that were made to point to this machine', async () => {
    const { ask } = await setup();
    expect((await ask('/status.json', 'GET', 'evil.example:80')).status).toBe(421);
    expect((await ask('/status.json', 'GET', 'localhost')).status).toBe(200);
  });

  it('answers 500 and goes on when the node fails, and writes why', async () => {
    const { node, lines, ask } = await setup();
    node.routes = () => {
      throw new Error('broken');
    };
    expect((await ask('/status.json')).status).toBe(500);
    expect((await ask('/healthz')).status).toBe(200);
    expect(lines.join('')).toContain('broken');
  });

  it('warns when other machines reach it', async () => {
    const { lines } = await setup('0.0.0.0:0');
    expect(lines.join('')).toContain('asks nobody who they are');
  });

  it('frees its port with connections open, and may be closed twice', async () => {
    const { admin, log, ask } = await setup();
    await ask('/healthz');
    await Promise.all([admin.close(), admin.close()]);
    const { port, host } = new URL(admin.url);
    open.push(await startAdmin(new FakeNode(), { endpoint: host, log }));
    expect(port).not.toBe('0');
  });

  it('says which port it could not open', async () => {
    const { admin, log } = await setup();
    const endpoint = new URL(admin.url).host;
    await expect(startAdmin(new FakeNode(), { endpoint, log })).rejects.toMatchObject({
      ...{ code: 'link-failed', message: expect.stringContaining(endpoint) },
    });
  });

  it.each(['46380', 'http://127.0.0.1:1', '127.0.0.1:70000', '[x]:1', ''])(
    'refuses the endpoint "%s"',
    async (endpoint) => {
      await expect(setup(endpoint)).rejects.toMatchObject({ code: 'invalid-config' });
    },
  );
});
