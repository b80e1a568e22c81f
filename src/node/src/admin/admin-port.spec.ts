import { ManualClock } from '@nestjs-slim/core/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AdminPort } from './admin-port.js';
import type { NodeStatus } from './status.js';
import { FakeNode, fakeLink } from './testing/fake-node.js';

const open: AdminPort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function setup() {
  const clock = new ManualClock();
  const node = new FakeNode();
  const port = new AdminPort({ node, clock, version: '1.2.3', files: new Map() });
  open.push(port);
  const get = async (url: string) => {
    const { status, body } = await port.answer({ method: 'GET', url });
    return { status, text: body.toString() };
  };
  const status = async (query = '') =>
    JSON.parse((await get(`/status.json?${query}`)).text) as NodeStatus;
  return { clock, node, port, get, status };
}

describe('/metrics', () => {
  it('has what the node counts', async () => {
    const { node, get } = setup();
    node.links = [
      fakeLink({ id: 1, kind: 'edge' }),
      fakeLink({ id: 2, kind: 'edge', isFull: true }),
      fakeLink({ id: 3, kind: 'peer', direction: 'outgoing', state: 'negotiating' }),
    ];
    const received = { received: 12, receivedBytes: 3_400 };
    const forwarded = { forwarded: 10, forwardedBytes: 3_000 };
    const counters = { ...received, ...forwarded, subscriptions: 4, refused: 2 };
    node.count(counters, { 'no-route': 2 });
    const { text } = await get('/metrics');
    for (const line of [
      'slim_node_info{node_id="node-a",version="1.2.3"} 1',
      'slim_node_running 1',
      'slim_node_links{kind="edge",direction="incoming",state="established"} 2',
      'slim_node_links{kind="peer",direction="outgoing",state="negotiating"} 1',
      'slim_node_links{kind="remote",direction="incoming",state="established"} 0',
      'slim_node_links_full 1',
      'slim_node_links_refused_total 2',
      'slim_node_subscriptions 4',
      'slim_node_received_frames_total 12',
      'slim_node_received_bytes_total 3400',
      'slim_node_forwarded_frames_total 10',
      'slim_node_forwarded_bytes_total 3000',
      'slim_node_dropped_frames_total{reason="no-route"} 2',
      'slim_node_dropped_frames_total{reason="overload"} 0',
      '# TYPE slim_node_received_frames_total counter',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).toMatch(/^process_cpu_user_seconds_total [\d.]+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  it('forgets links that are gone, and no counter ever falls', async () => {
    const { node, get } = setup();
    node.links = [fakeLink({ id: 1, receivedFrames: 50 })];
    node.count({ received: 50 });
    await get('/metrics');
    node.links = [];
    node.count({ received: 51 });
    const { text } = await get('/metrics');
    expect(text).toContain(
      'slim_node_links{kind="edge",direction="incoming",state="established"} 0',
    );
    expect(text).toContain('slim_node_received_frames_total 51\n');
  });
});

describe('health', () => {
  it.each([
    ['running', 200],
    ['draining', 503],
    ['closed', 503],
  ] as const)('while %s /readyz answers %i, and /healthz 200', async (state, code) => {
    const { node, get } = setup();
    node.state = state;
    expect((await get('/readyz')).status).toBe(code);
    expect(await get('/healthz')).toStrictEqual({ status: 200, text: 'alive\n' });
  });
});

describe('/status.json', () => {
  it('has the node, its traffic, links with rates and names, and routes', async () => {
    const { clock, node, status } = setup();
    node.links = [fakeLink({ id: 7, subscriptions: 2 })];
    node.routeList = [
      { name: 'acme/billing/invoices', id: undefined, links: [7] },
      { name: 'acme/billing/invoices', id: '00-01', links: [7] },
    ];
    await status();
    node.links = [fakeLink({ id: 7, subscriptions: 2, receivedFrames: 30 })];
    node.count({ received: 30 });
    clock.advance(1_000);
    const answer = await status();
    expect(answer.node).toMatchObject({ nodeId: 'node-a', version: '1.2.3', state: 'running' });
    expect(answer.counters.received).toBe(30);
    expect(answer.traffic.received).toStrictEqual([30]);
    expect(answer.links).toMatchObject({ total: 1, found: 1, from: 0 });
    const [link] = answer.links.items;
    expect(link).toMatchObject({ id: 7, kind: 'edge', names: ['acme/billing/invoices'] });
    expect(link?.rates?.receivedFrames).toBe(30);
    expect(answer.routes.items).toHaveLength(2);
  });

  it('gives a part of 10,000 routes and links, and finds one of them', async () => {
    const { node, status } = setup();
    const many = Array.from({ length: 10_000 }, (_, index) => index);
    node.links = many.map((id) => fakeLink({ id, dropped: id }));
    node.routeList = many.map((id) => ({ name: `acme/shop/s${id}`, id: undefined, links: [id] }));
    const answer = await status('routes_from=25&routes_limit=25&links_limit=2&links_order=dropped');
    expect(answer.routes).toMatchObject({ total: 10_000, found: 10_000, from: 25 });
    expect(answer.routes.items).toHaveLength(25);
    expect(answer.links.items.map(({ id }) => id)).toStrictEqual([9_999, 9_998]);
    const found = await status('routes_search=S4711&links_search=s4711');
    expect(found.routes).toMatchObject({ found: 1, items: [{ name: 'acme/shop/s4711' }] });
    expect(found.links).toMatchObject({ found: 1, items: [{ id: 4_711 }] });
    expect((await status('routes_link=12')).routes).toMatchObject({ found: 1 });
  });

  it('looks through a bounded number of routes, and puts them in order once for all that ask', async () => {
    const { clock, node, status } = setup();
    let reads = 0;
    node.routes = (limit) => {
      reads += 1;
      return Array.from({ length: limit }, (_, index) => {
        return { name: `acme/shop/s${index % 9}`, id: String(index), links: [1] };
      });
    };
    node.links = [fakeLink({ id: 1, subscriptions: 9 })];
    const { links, routes } = await status('routes_limit=1');
    expect(routes).toMatchObject({ total: 20_000, isPartial: true });
    expect(links.items[0]?.names).toStrictEqual(['acme/shop/s0', 'acme/shop/s1', 'acme/shop/s2']);
    clock.advance(1_000);
    await status();
    expect(reads).toBe(1);
    clock.advance(1_000);
    await status();
    expect(reads).toBe(2);
  });

  it('shortens what strangers call themselves', async () => {
    const { node, status } = setup();
    const long = 'x'.repeat(1_000_000);
    node.links = [fakeLink({ id: 1, peerNodeId: long, peerVersion: long, linkId: long })];
    node.routeList = [{ name: long, id: undefined, links: [1] }];
    expect(JSON.stringify(await status()).length).toBeLessThan(5_000);
  });

  it('says what is wrong with a query', async () => {
    const { get } = setup();
    const { status, text } = await get('/status.json?links_limit=all');
    expect([status, JSON.parse(text)]).toMatchObject([400, { code: 'invalid-config' }]);
  });
});

describe('AdminPort', () => {
  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'only reads: %s is answered 405',
    async (method) => {
      const { port } = setup();
      const { status, headers } = await port.answer({ method, url: '/status.json' });
      expect([status, headers]).toStrictEqual([405, { allow: 'GET, HEAD' }]);
    },
  );

  it.each(['/../package.json', '/%2e%2e/x', '//x', '/constructor', '/page'])(
    'has nothing at %s',
    async (url) => {
      expect((await setup().get(url)).status).toBe(404);
    },
  );

  it('leaves no timer when it is closed', () => {
    const { clock, port } = setup();
    port.close();
    port.close();
    expect(clock.pending).toBe(0);
  });
});
