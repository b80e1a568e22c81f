import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { SlimName } from '../names/slim-name.js';
import { Fabric } from '../testing/fabric.js';

let fabric = new Fabric(nodeCrypto, 'a secret that only the tests of this file share');
afterEach(async () => {
  await fabric.close();
  fabric = new Fabric(nodeCrypto, 'a secret that only the tests of this file share');
});

async function collect(names: AsyncIterable<SlimName>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(String(name));
  return found.toSorted();
}

async function setup(): Promise<{
  readonly alice: Awaited<ReturnType<Fabric['connect']>>;
  readonly bobs: Awaited<ReturnType<Fabric['connect']>>[];
}> {
  const alice = await fabric.connect('org/ns/alice');
  const bobs = [];
  for (let count = 0; count < 3; count += 1) bobs.push(await fabric.connect('org/ns/bob'));
  return { alice, bobs };
}

describe('Discovery', () => {
  it('finds every instance of a name once', async () => {
    const { alice, bobs } = await setup();
    const expected = bobs.map(({ name }) => String(name)).toSorted();
    expect(await collect(alice.instances('org/ns/bob', { discoveryMs: 60 }))).toStrictEqual(
      expected,
    );
  });

  it('ends without an instance when nobody has the name', async () => {
    const { alice } = await setup();
    expect(await collect(alice.instances('org/ns/nobody', { discoveryMs: 20 }))).toStrictEqual([]);
  });

  it('gives the instances as they answer, and stops when the reader does', async () => {
    const { alice } = await setup();
    for await (const name of alice.instances('org/ns/bob', { discoveryMs: 3_600_000 })) {
      expect(name.service).toBe('org/ns/bob');
      break;
    }
  });

  it('finds one instance after the other by anycast', async () => {
    const { alice, bobs } = await setup();
    const found = new Set<string>();
    for (let turn = 0; turn < 9; turn += 1) found.add(String(await alice.discover('org/ns/bob')));
    expect([...found].toSorted()).toStrictEqual(bobs.map(({ name }) => String(name)).toSorted());
  });

  it('fails when the application is closed', async () => {
    const { alice } = await setup();
    await alice.close();
    const closed = { name: 'SlimError', code: 'link-closed' };
    await expect(alice.discover('org/ns/bob')).rejects.toMatchObject(closed);
    await expect(collect(alice.instances('org/ns/bob'))).rejects.toMatchObject(closed);
  });

  it('does not find an instance that is about to close', async () => {
    const { alice, bobs } = await setup();
    for (const bob of bobs.slice(1)) bob.discoverable = false;
    const found = await collect(alice.instances('org/ns/bob', { discoveryMs: 30 }));
    expect(found).toStrictEqual([String(bobs[0]?.name)]);
  });

  it.each([
    ['no-route', { discoveryMs: 20 }],
    ['aborted', { signal: AbortSignal.abort(new SlimError('aborted', 'by the test')) }],
  ])('fails with %s', async (code, options) => {
    const { alice } = await setup();
    await expect(alice.discover('org/ns/nobody', options)).rejects.toMatchObject({ code });
  });

  it('leaves no session behind', async () => {
    const { alice } = await setup();
    const search = alice.instances('org/ns/bob', { discoveryMs: 3_600_000 });
    const iterator = search[Symbol.asyncIterator]();
    await iterator.next();
    const last = iterator.next().then(() => iterator.next());
    const settled = last.then(() => iterator.next());
    await alice.close();
    await expect(settled).rejects.toMatchObject({ code: 'session-closed' });
  });
});
