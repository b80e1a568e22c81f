import { afterEach, describe, expect, it } from '@jest/globals';
import { sharedSecret, type SlimError } from '@nestjs-slim/core';
import { http2Dialler } from './http2-dialler.js';
import { listenHttp2 } from './http2-listener.js';
import { SlimApp } from './slim-app.js';
import { SlimNode, type SlimNodeOptions } from './slim-node.js';

const anywhere = { host: '127.0.0.1', port: 0 };
const secret = 'unit-tests-share-this-secret-of-40-bytes';
const started: SlimNode[] = [];

async function start(options: SlimNodeOptions = {}): Promise<SlimNode> {
  const node = await SlimNode.start(options);
  started.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.close()));
});

const portOf = (url: string | undefined): number => Number(new URL(url ?? '').port);

describe('SlimNode', () => {
  it('listens at every place that it is told, also by functions', async () => {
    const node = await start({ listen: [anywhere, (accept) => listenHttp2(anywhere, accept)] });
    expect(new Set(node.urls).size).toBe(2);
    expect(node.url).toBe(node.urls[0]);
    for (const url of node.urls) {
      const app = await SlimApp.connect({
        ...{ name: 'org/ns/app', identity: sharedSecret({ secret }), node: url },
      });
      await app.close();
    }
  });

  it('leaves no port open when one of them cannot be had', async () => {
    const taken = await start({ listen: anywhere });
    const spare = await start({ listen: anywhere });
    const free = { ...anywhere, port: portOf(spare.url) };
    await spare.close();
    const listen = [free, { ...anywhere, port: portOf(taken.url) }];
    await expect(SlimNode.start({ listen })).rejects.toMatchObject({ code: 'link-failed' });
    await start({ listen: free });
  });

  it('counts what its listeners turned away', async () => {
    const node = await start({ listen: { ...anywhere, maxConnections: 1 } });
    const other = await start();
    const { url = '' } = node;
    const first = other.connect(http2Dialler(url), { kind: 'edge' });
    await first.whenEstablished();
    const refused = new Promise<string>((resolve) => {
      node.on('refused', ({ reason }) => resolve(reason.code));
    });
    other.connect(http2Dialler(url), { kind: 'edge' });
    expect(await refused).toBeDefined();
    expect(node.counters.refused).toBe(1);
  });

  it('counts them also where a listener tells its own', async () => {
    const told: string[] = [];
    const onRefused = ({ code }: SlimError): unknown => told.push(code);
    const node = await start({ listen: { ...anywhere, maxConnections: 1, onRefused } });
    const other = await start();
    const dial = http2Dialler(node.url ?? '');
    await other.connect(dial, { kind: 'edge' }).whenEstablished();
    const refused = new Promise((resolve) => node.on('refused', resolve));
    other.connect(dial, { kind: 'edge' });
    await refused;
    expect(node.counters.refused).toBe(1);
    expect(told).toStrictEqual(['refused']);
  });

  it('tells a replica that does not belong to it so, which then asks no more', async () => {
    const node = await start({ listen: anywhere, peers: { deploymentName: 'shop' } });
    const stranger = await start();
    const ended = new Promise<string | undefined>((resolve) => {
      stranger.on('refused', ({ reason }) => resolve(reason.message));
    });
    const link = stranger.connect(http2Dialler(node.url ?? ''), { kind: 'peer' });
    expect(await ended).toMatch(/gRPC status 7: deployment_name mismatch$/);
    expect(link.status.kind).toBe('refused');
  });

  it('carries sessions between applications of two replicas', async () => {
    const [one, two] = [await start({ listen: anywhere }), await start({ listen: anywhere })];
    const link = one.connect(http2Dialler(two.url ?? ''), { kind: 'peer' });
    await link.whenEstablished();
    const identity = sharedSecret({ secret });
    const near = await SlimApp.connect({ name: 'org/ns/near', identity, node: one });
    const far = await SlimApp.connect({ name: 'org/ns/far', identity, node: two });
    const session = await near.openSession('org/ns/far');
    await session.publish(Buffer.from('hello'));
    for await (const accepted of far.sessions()) {
      const { payload } = await accepted.next({ timeoutMs: 5_000 });
      expect(Buffer.from(payload).toString()).toBe('hello');
      break;
    }
    await Promise.all([near.close(), far.close()]);
  });

  it('drains in order and may be closed twice', async () => {
    const node = await start({ listen: anywhere });
    const other = await start();
    const link = other.connect(http2Dialler(node.url ?? ''), { kind: 'edge' });
    await link.whenEstablished();
    const reasons: unknown[] = [];
    other.on('link', (event) => event.kind === 'closed' && reasons.push(event.reason));
    await Promise.all([node.close({ deadlineMs: 5_000 }), node.close()]);
    expect(node.snapshot()).toMatchObject({ state: 'closed', links: [] });
    await other.close();
    expect(reasons).toStrictEqual([undefined]);
  });
});
