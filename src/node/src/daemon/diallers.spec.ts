import { describe, expect, it } from '@jest/globals';
import { valid } from '../config/testing/verdict.js';
import { clientsOf } from './diallers.js';
import { Owned } from './owned.js';

/** How the one client of a configuration is dialled. */
async function dialled(...lines: readonly string[]) {
  const head = 'services: { slim/0: { dataplane: { clients: [{ endpoint: "http://a:1"';
  const routes = 'nestjs_slim: { routes: [{ link: "http://a:1", names: [a/b/c] }] }';
  const text = `${[head, ...lines].join(', ')} }] } } }\n${routes}`;
  const owned = new Owned();
  const [client] = await clientsOf(valid(text).config, owned, () => undefined);
  await owned.close();
  return { target: client?.dialler.target, ...client?.options };
}

describe('clientsOf', () => {
  const base = { target: 'http://a:1', kind: 'edge', routes: ['a/b/c'] };
  it.each([
    [[], base],
    [['connection_type: peer', 'link_id: x'], { ...base, kind: 'peer', linkId: 'x' }],
    [
      ['backoff: { type: fixed_interval, interval: 2s }'],
      { ...base, backoff: { firstMs: 2_000, maxMs: 2_000 } },
    ],
    [['backoff: { type: exponential }'], { ...base, backoff: { firstMs: 100, maxMs: 1_000 } }],
    [
      ['backoff: { type: exponential, base: 50, factor: 4, max_delay: 30s }'],
      { ...base, backoff: { firstMs: 200, maxMs: 30_000 } },
    ],
    [['tls: { insecure: true }', 'auth: { type: basic, username: a, password: b }'], base],
  ])('dials a client with %j as %j', async (lines, expected) => {
    expect(await dialled(...lines)).toStrictEqual(expected);
  });
});
