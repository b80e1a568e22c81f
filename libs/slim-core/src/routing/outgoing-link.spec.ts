import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { Link } from '../link/link.js';
import { loadNameHash } from '../names/name-hash.js';
import { publishTo, subscribeTo, wireNameOf } from '../testing/frames.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MemoryDialler } from '../testing/memory-dialler.js';
import { NodeClient } from '../testing/node-client.js';
import { uncaughtBy } from '../testing/uncaught.js';
import { turns } from '../testing/turns.js';
import type { OutgoingKind } from './categories.js';
import type { RoutingNodeOptions } from './node-options.js';
import { RoutingNode } from './routing-node.js';

beforeAll(loadNameHash);

/** Two nodes, of which the first one dials. */
function setup(near: Partial<RoutingNodeOptions> = {}, far: Partial<RoutingNodeOptions> = {}) {
  const clock = new ManualClock();
  const local = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'near', ...near });
  const remote = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'far', ...far });
  const dialler = new MemoryDialler(remote);
  const app = (node: RoutingNode) => NodeClient.connect(node, nodeCrypto);
  const close = async (): Promise<void> => {
    await Promise.all([local.close(), remote.close()]);
    expect(clock.pending).toBe(0);
  };
  return { clock, local, remote, dialler, app, close };
}

const kinds: readonly OutgoingKind[] = ['edge', 'peer', 'remote'];

describe('an outgoing link', () => {
  it.each(kinds)('of kind %s is known as that at both ends', async (kind) => {
    const { local, remote, dialler, close } = setup();
    const link = local.connect(dialler, { kind, linkId: 'our-link' });
    await link.whenEstablished();
    const common = { kind, state: 'established', linkId: 'our-link' };
    expect(local.snapshot().links).toMatchObject([
      { ...common, direction: 'outgoing', peerNodeId: 'far' },
    ]);
    expect(remote.snapshot().links).toMatchObject([
      { ...common, direction: 'incoming', peerNodeId: 'near' },
    ]);
    await close();
  });

  it.each(kinds)('of kind %s is dialled again under its id, with growing pauses', async (kind) => {
    const { clock, local, remote, dialler, close } = setup();
    const link = local.connect(dialler, { kind, backoff: { firstMs: 100, maxMs: 400 } });
    await link.whenEstablished();
    const { linkId } = link;
    dialler.isDown = true;
    dialler.cut();
    await turns();
    expect(link.status.kind).toBe('dialling');
    for (const pauseMs of [100, 200, 400, 400]) {
      clock.advance(pauseMs);
      await turns();
    }
    expect(dialler.attempts).toBe(5);
    dialler.isDown = false;
    clock.advance(400);
    await link.whenEstablished();
    expect(remote.snapshot().links).toMatchObject([{ linkId, kind }]);
    await close();
  });

  it('that is lost as soon as it is there is dialled with growing pauses, until one lasts', async () => {
    const { clock, local, dialler, close } = setup();
    const link = local.connect(dialler, { kind: 'edge', backoff: { firstMs: 100, maxMs: 400 } });
    await link.whenEstablished();
    /** How long it takes at least, with steps of the half of the first pause, until it is there again. */
    const lost = async (): Promise<number> => {
      dialler.cut();
      await turns();
      for (let waitedMs = 0; ; waitedMs += 50) {
        if (link.status.kind === 'established') return waitedMs;
        clock.advance(50);
        await turns();
      }
    };
    const waits: number[] = [];
    for (let count = 0; count < 4; count += 1) waits.push(await lost());
    const longer = [0, 1, 2, 3].map(
      (count) => (waits[count] ?? 0) >= Math.min(400, 100 * 2 ** count) / 2,
    );
    expect(longer).toStrictEqual([true, true, true, true]);
    clock.advance(401);
    expect(await lost()).toBeLessThanOrEqual(100);
    await close();
  });

  it('is dialled until the other node is there, which may be later', async () => {
    const { clock, local, dialler, close } = setup();
    dialler.isDown = true;
    const refused: string[] = [];
    local.on('refused', ({ remote, reason }) => refused.push(`${remote}: ${reason.message}`));
    const link = local.connect(dialler, { kind: 'peer' });
    await turns();
    expect(refused).toStrictEqual(['memory: nobody answers']);
    dialler.isDown = false;
    clock.advance(100);
    await link.whenEstablished();
    await close();
  });

  it('does not end for good because one negotiation failed', async () => {
    const strict = setup({}, { limits: { maxLinks: 0 } });
    const { clock, local, dialler, close } = strict;
    const link = local.connect(dialler, { kind: 'edge' });
    await turns();
    clock.advance(100);
    await turns();
    expect(link.status.kind).toBe('dialling');
    expect(dialler.attempts).toBe(2);
    await close();
  });

  it('ends when it is closed, and dials no more', async () => {
    const { clock, local, remote, dialler, close } = setup();
    const link = local.connect(dialler, { kind: 'edge' });
    await link.whenEstablished();
    await Promise.all([link.close(), link.close()]);
    await turns();
    expect([local, remote].map((node) => node.counters.connections)).toStrictEqual([0, 0]);
    await expect(link.whenEstablished()).rejects.toMatchObject({ code: 'link-closed' });
    expect(clock.pending).toBe(0);
    await close();
  });

  it('may be closed while it waits to dial again', async () => {
    const { clock, local, dialler, close } = setup();
    dialler.isDown = true;
    const link = local.connect(dialler, { kind: 'edge' });
    const waiting = link.whenEstablished();
    // Turns before the wait ends, so that the rejection is somebody's.
    const closed = Promise.all([turns().then(() => link.close()), turns()]);
    await expect(waiting).rejects.toMatchObject({ code: 'link-closed' });
    await closed;
    expect(clock.pending).toBe(0);
    await close();
  });

  it('may be waited for as long as one likes', async () => {
    const { local, dialler, close } = setup();
    dialler.isDown = true;
    const link = local.connect(dialler, { kind: 'edge' });
    const stop = new AbortController();
    const waiting = link.whenEstablished(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await close();
  });

  it('is no worse for listeners that throw, and the others are called', async () => {
    const { local, remote, dialler, close } = setup();
    const heard: string[] = [];
    const stops = [local, remote].map((node) => {
      const stop = node.on('link', () => {
        throw new TypeError('a listener');
      });
      node.on('link', ({ kind }) => heard.push(kind));
      return stop;
    });
    const uncaught = await uncaughtBy(async () => {
      const link = local.connect(dialler, { kind: 'edge' });
      await link.whenEstablished();
      await link.close();
      await turns();
      for (const stop of stops) stop();
    });
    expect(uncaught).toHaveLength(4);
    expect(dialler.attempts).toBe(1);
    expect(heard.toSorted()).toStrictEqual(['closed', 'closed', 'established', 'established']);
    expect([local, remote].map((node) => node.counters.connections)).toStrictEqual([0, 0]);
    await close();
  });

  it('that cannot be taken over leaves nothing behind', async () => {
    const { clock, local, remote, dialler, app, close } = setup();
    const client = await app(local);
    await client.send(subscribeTo(wireNameOf('org/ns/mine'), 0n));
    const refused: string[] = [];
    local.on('refused', ({ reason }) => refused.push(reason.message));
    /** Takes the frame of the negotiation only. */
    const dial = async (): Promise<Link> => {
      const opened = await dialler.dial();
      const send = opened.send.bind(opened);
      opened.send = (bytes) => {
        opened.send = () => {
          throw new SlimError('link-failed', 'takes no more');
        };
        return send(bytes);
      };
      return opened;
    };
    const link = local.connect({ target: 'broken', dial }, { kind: 'peer', routes: ['org/ns/a'] });
    await turns();
    expect(refused).toStrictEqual(['takes no more']);
    expect(local.routes(10).map(({ name }) => name)).toStrictEqual(['org/ns/mine']);
    expect([local, remote].map((node) => node.counters.connections)).toStrictEqual([1, 0]);
    await link.close();
    await close();
    expect(clock.pending).toBe(0);
  });

  it('is not opened by a node that is closing', async () => {
    const { local, dialler, close } = setup();
    await close();
    expect(() => local.connect(dialler, { kind: 'edge' })).toThrow('the node is closing');
  });
});

describe('routes of an outgoing link', () => {
  it('send names there, signed for it, and end with it', async () => {
    const { local, remote, dialler, app, close } = setup();
    const name = wireNameOf('org/ns/service');
    const [sender, receiver] = [await app(local), await app(remote)];
    await receiver.send(subscribeTo(name, 1n));
    receiver.received();
    const link = local.connect(dialler, { kind: 'remote', routes: ['org/ns/service'] });
    await link.whenEstablished();
    await sender.send(publishTo(name));
    expect(receiver.received()).toMatchObject([{ publish: { header: { ttl: 1 } } }]);
    await link.close();
    expect(local.routes(10)).toStrictEqual([]);
    await close();
  });

  it('are not subscribed at the other node: an official one is told nothing either', async () => {
    const { local, remote, dialler, app, close } = setup();
    const client = await app(local);
    await client.send(subscribeTo(wireNameOf('org/ns/mine'), 1n));
    await local.connect(dialler, { kind: 'edge', routes: ['org/ns/a'] }).whenEstablished();
    await turns();
    expect(remote.routes(10)).toStrictEqual([]);
    await close();
  });

  it.each([
    {
      what: 'that are too many',
      routes: ['org/ns/a', 'org/ns/b', 'org/ns/c'],
      message: 'expected at most 2 routes of a link, got 3',
    },
    {
      what: 'of which one is too long',
      routes: [`org/ns/${'x'.repeat(1_024)}`],
      message: 'expected a route of at most 1024 bytes, got 1097',
    },
  ])('$what are refused', ({ routes, message }) => {
    const { local, dialler } = setup({ limits: { maxSubscriptionsPerLink: 2 } });
    const connecting = () => local.connect(dialler, { kind: 'edge', routes });
    expect(connecting).toThrow(expect.objectContaining({ code: 'invalid-config', message }));
    expect(dialler.attempts).toBe(0);
  });

  it('are names', () => {
    const { local, dialler } = setup();
    expect(() => local.connect(dialler, { kind: 'edge', routes: ['org'] })).toThrow(
      'expected org/namespace/service, got "org"',
    );
  });
});

describe('a replica', () => {
  it.each([
    {
      what: 'with our own node id',
      near: { nodeId: 'same' },
      far: { nodeId: 'same' },
      error: 'self-connection rejected: same node_id',
    },
    {
      what: 'of another deployment',
      near: { peers: { deploymentName: 'a' } },
      far: { peers: { deploymentName: 'b' } },
      error: 'deployment_name mismatch',
    },
    {
      what: 'of no deployment, at a node that has one',
      near: {},
      far: { peers: { deploymentName: 'b' } },
      error: 'deployment_name mismatch',
    },
  ])('$what is refused for good', async ({ near, far, error }) => {
    const { clock, local, remote, dialler, close } = setup(near, far);
    const link = local.connect(dialler, { kind: 'peer' });
    await expect(link.whenEstablished()).rejects.toMatchObject({ code: 'refused', message: error });
    await turns();
    expect(link.status.kind).toBe('refused');
    expect([local, remote].map((node) => node.counters.connections)).toStrictEqual([0, 0]);
    expect(clock.pending).toBe(0);
    expect(dialler.attempts).toBe(1);
    await close();
  });

  it.each([
    { near: { deploymentName: 'a' }, far: { deploymentName: 'a' } },
    { near: {}, far: {} },
  ])('of $near is taken by one of $far', async ({ near, far }) => {
    const { local, dialler, close } = setup({ peers: near }, { peers: far });
    const link = local.connect(dialler, { kind: 'peer' });
    await link.whenEstablished();
    expect(link.status.kind).toBe('established');
    await close();
  });

  it('is dialled by the one with the smaller node id, under the ids of both', async () => {
    const clock = new ManualClock();
    const target = (nodeId: string) => new RoutingNode({ crypto: nodeCrypto, clock, nodeId });
    const [a, c] = [target('a'), target('c')];
    const diallers = { a: new MemoryDialler(a), b: new MemoryDialler(a), c: new MemoryDialler(c) };
    const nodes = Object.entries(diallers).map(([nodeId, dialler]) => ({ nodeId, dialler }));
    const b = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'b', peers: { nodes } });
    await turns();
    expect(Object.values(diallers).map(({ attempts }) => attempts)).toStrictEqual([0, 0, 1]);
    expect(b.snapshot().links).toMatchObject([{ linkId: 'b:c', kind: 'peer' }]);
    await Promise.all([a, b, c].map((node) => node.close()));
    expect(clock.pending).toBe(0);
  });
});
