import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { systemClock } from '../clock/clock.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { RoutingNode } from '../routing/routing-node.js';
import { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';

async function setup() {
  const node = new RoutingNode({ crypto: nodeCrypto, clock: systemClock, nodeId: 'node' });
  const connect = (name: string) =>
    SlimApp.connect({
      name,
      identity: sharedSecret({ secret }),
      crypto: nodeCrypto,
      diallers: [
        {
          target: 'memory',
          dial: async () => {
            const [near, far] = memoryLinkPair();
            node.accept(far);
            return near;
          },
        },
      ],
    });
  const [alice, bob] = await Promise.all([connect('org/ns/alice'), connect('org/ns/bob')]);
  const end = async () => {
    await Promise.all([alice.close(), bob.close()]);
    await node.close();
  };
  return { node, alice, bob, end };
}

describe('SlimApp', () => {
  it.each([
    { mls: true, reliable: true },
    { mls: false, reliable: true },
    { mls: true, reliable: false },
    { mls: false, reliable: false },
  ])('carries messages both ways with %o', async (options) => {
    const { alice, bob, end } = await setup();
    alice.on('dropped', (e) => console.log('alice dropped', e));
    bob.on('dropped', (e) => console.log('bob dropped', e));
    const session = await alice.openSession('org/ns/bob', { ...options, metadata: { why: 'test' } });
    let accepted;
    for await (const incoming of bob.sessions()) {
      accepted = incoming;
      break;
    }
    if (!accepted) throw new Error('no session');
    expect(accepted.metadata).toStrictEqual({ why: 'test' });
    for (let i = 0; i < 20; i += 1) await session.publish(new TextEncoder().encode(`m${i}`));
    for (let i = 0; i < 20; i += 1) {
      const message = await accepted.next({ timeoutMs: 2000 });
      expect(new TextDecoder().decode(message.payload)).toBe(`m${i}`);
      await message.reply(message.payload);
    }
    for (let i = 0; i < 20; i += 1) {
      const message = await session.next({ timeoutMs: 2000 });
      expect(new TextDecoder().decode(message.payload)).toBe(`m${i}`);
    }
    await session.close();
    expect((await accepted.ended)?.code).toBe('session-closed');
    await end();
  });
});
