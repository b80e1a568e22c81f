import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { SlimError } from '../errors/slim-error.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';

let fabric = new Fabric(nodeCrypto, secret);
afterEach(async () => {
  await fabric.close();
  fabric = new Fabric(nodeCrypto, secret);
});

async function accept(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) if (session.kind === 'session') return session;
  throw new Error('the application ended');
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

async function codeOf(failing: Promise<unknown>): Promise<string> {
  const reason = await failing.then(
    () => new Error('did not fail'),
    (error: unknown) => error,
  );
  return reason instanceof SlimError ? reason.code : String(reason);
}

const modes = [
  { mls: true, reliable: true },
  { mls: false, reliable: true },
  { mls: true, reliable: false },
  { mls: false, reliable: false },
];

describe('SlimApp', () => {
  it.each(modes)('carries messages both ways, in order, with %o', async (mode) => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob', { ...mode, metadata: { why: 'test' } });
    const accepted = await accept(bob);
    expect(accepted).toMatchObject({ ...mode, metadata: { why: 'test' }, peer: alice.name });

    const sent = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    for (const item of sent) await session.publish(bytes(item), { payloadType: 'text/plain' });
    for (const item of sent) {
      const message = await accepted.next({ timeoutMs: 2_000 });
      expect([text(message.payload), message.payloadType]).toStrictEqual([item, 'text/plain']);
      await message.reply(bytes(`re: ${item}`));
    }
    for (const item of sent) {
      const { payload } = await session.next({ timeoutMs: 2_000 });
      expect(text(payload)).toBe(`re: ${item}`);
    }
    await session.close();
    expect(await accepted.ended).toMatchObject({ code: 'session-closed' });
    expect(await codeOf(accepted.publish(bytes('late')))).toBe('session-closed');
  });

  it('ends the iteration of the side that is told the session is closed', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob');
    const accepted = await accept(bob);
    await session.publish(bytes('last words'));
    await session.close();
    const read: string[] = [];
    for await (const { payload } of accepted) read.push(text(payload));
    expect(read).toStrictEqual(['last words']);
  });

  it('sends a request and gives its reply', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob');
    const accepted = await accept(bob);
    const answered = session.request(bytes('ping'), { timeoutMs: 2_000 });
    const { reply } = await accepted.next();
    await reply(bytes('pong'));
    expect(text((await answered).payload)).toBe('pong');
  });

  it('fails a wait with timeout or aborted, and loses nothing by it', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob');
    const accepted = await accept(bob);
    expect(await codeOf(accepted.next({ timeoutMs: 5 }))).toBe('timeout');
    const given = new AbortController();
    const wait = accepted.next({ signal: given.signal });
    given.abort();
    expect(await codeOf(wait)).toBe('aborted');
    await session.publish(bytes('kept'));
    expect(text((await accepted.next()).payload)).toBe('kept');
  });

  it('reports no-route within the time for discovery when nobody has the name', async () => {
    const alice = await fabric.connect('org/ns/alice');
    const failing = alice.openSession('org/ns/nobody', { discoveryMs: 40 });
    await expect(failing).rejects.toMatchObject({
      code: 'no-route',
      message: expect.stringContaining('org/ns/nobody'),
    });
  });

  it('is not answered with another secret, and the next good peer is', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const mallory = await fabric.connect('org/ns/mallory', {
      identity: sharedSecret({ secret: 'x'.repeat(40) }),
    });
    const refused = new Promise<SlimError>((resolve) => bob.on('dropped', resolve));
    expect(await codeOf(mallory.openSession('org/ns/bob', { discoveryMs: 40 }))).toBe('no-route');
    expect(await refused).toMatchObject({ code: 'identity-rejected' });
    await expect(alice.openSession('org/ns/bob')).resolves.toMatchObject({ mls: true });
  });

  it('opens sessions to one instance and finds all instances in turn', async () => {
    const alice = await fabric.connect('org/ns/alice');
    const one = await fabric.connect('org/ns/bob');
    const two = await fabric.connect('org/ns/bob');
    const found = new Set<string>();
    for (let index = 0; index < 4; index += 1) {
      found.add(String((await alice.openSession('org/ns/bob')).peer));
    }
    expect([...found].toSorted()).toStrictEqual([String(one.name), String(two.name)].toSorted());
    expect(String((await alice.openSession(two.name)).peer)).toBe(String(two.name));
  });

  it('is found under every name it subscribed', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    await bob.subscribe('org/ns/alias');
    const session = await alice.openSession('org/ns/alias');
    const accepted = await accept(bob);
    expect(accepted.name.service).toBe('org/ns/alias');
    await session.publish(bytes('hello'));
    expect(text((await accepted.next()).payload)).toBe('hello');
    await bob.unsubscribe('org/ns/alias');
    expect(await session.ended).toMatchObject({ code: 'session-closed' });
    expect(await codeOf(alice.openSession('org/ns/alias', { discoveryMs: 40 }))).toBe('no-route');
  });

  it('reports the loss of a peer that vanishes without a word', async () => {
    const clock = new ManualClock(Date.now());
    const alice = await fabric.connect('org/ns/alice', { clock });
    const bob = await fabric.connect('org/ns/bob', { sessions: { closeMs: 1 } });
    const session = await alice.openSession('org/ns/bob');
    await accept(bob);
    const next = session.next();
    clock.advance(40_000);
    await expect(next).rejects.toMatchObject({ code: 'peer-lost' });
    expect(await session.ended).toMatchObject({ code: 'peer-lost' });
  });

  it('fails a publish that nobody acknowledges with not-delivered', async () => {
    const clock = new ManualClock(Date.now());
    const alice = await fabric.connect('org/ns/alice', { clock, sessions: { closeMs: 0 } });
    const bob = await fabric.connect('org/ns/bob', { sessions: { closeMs: 1 } });
    const session = await alice.openSession('org/ns/bob', { intervalMs: 100, maxRetries: 2 });
    await accept(bob);
    fabric.links[1]?.pause();
    const published = codeOf(session.publish(bytes('unheard')));
    await Promise.resolve();
    clock.advance(300);
    expect(await published).toBe('not-delivered');
    fabric.links[1]?.resume();
    const closed = alice.close();
    clock.advance(0);
    await closed;
  });

  it('refuses a message larger than a link takes, and goes on', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob');
    const accepted = await accept(bob);
    expect(await codeOf(session.publish(new Uint8Array(4 * 1024 * 1024)))).toBe(
      'message-too-large',
    );
    await session.publish(bytes('small'));
    expect(text((await accepted.next()).payload)).toBe('small');
  });

  it('keeps its sessions when the link is lost and dialled again', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const session = await alice.openSession('org/ns/bob', { intervalMs: 50 });
    const accepted = await accept(bob);
    const back = new Promise<void>((resolve) =>
      alice.on('status', ({ status }) => status === 'connected' && resolve()),
    );
    fabric.links[0]?.destroy(new SlimError('link-closed', 'cut by the test'));
    expect(alice.status).toBe('reconnecting');
    await back;
    await session.publish(bytes('after the cut'));
    const message = await accepted.next();
    await message.reply(bytes('heard'));
    expect(text((await session.next()).payload)).toBe('heard');
  });

  it('rejects bad names and secrets with the offending value', async () => {
    await expect(fabric.connect('org/ns')).rejects.toMatchObject({
      code: 'invalid-name',
      message: expect.stringContaining('"org/ns"'),
    });
    expect(() => sharedSecret({ secret: 'short' })).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });

  it('shows no plaintext to the node', async () => {
    const [alice, bob] = [await fabric.connect('org/ns/alice'), await fabric.connect('org/ns/bob')];
    const seen: Uint8Array[] = [];
    const link = fabric.links[0];
    const send = link?.send.bind(link);
    if (link && send) {
      link.send = (frame) => {
        seen.push(frame.slice());
        return send(frame);
      };
    }
    const session = await alice.openSession('org/ns/bob');
    await session.publish(bytes('the quick brown fox'));
    expect(text((await (await accept(bob)).next()).payload)).toBe('the quick brown fox');
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.some((frame) => Buffer.from(frame).includes('the quick brown fox'))).toBe(false);
  });
});
