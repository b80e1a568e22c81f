import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { IdentitySource } from '../auth/identity.js';
import { jwt } from '../auth/jwt.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { SlimError } from '../errors/slim-error.js';
import { Fabric } from '../testing/fabric.js';
import { MemoryStore } from '../testing/memory-store.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const name = 'org/ns/app';
let fabric = new Fabric(nodeCrypto, secret);
afterEach(async () => {
  await fabric.close();
  fabric = new Fabric(nodeCrypto, secret);
});

const start = (store: MemoryStore, identity: IdentitySource = sharedSecret({ secret })) =>
  fabric.connect(name, { store: store.source, identity });

/** What an application left that had a session and closed. */
async function left(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const app = await start(store);
  const other = await fabric.connect('org/ns/other');
  await app.openSession('org/ns/other', { mls: true });
  await app.close();
  await other.close();
  return store;
}

const refusal = 'store-failed, and everything is as it was';

/** How a start with a store ends. */
async function outcome(store: MemoryStore, attempt: () => Promise<SlimApp>): Promise<string> {
  const before = JSON.stringify([...store.records]);
  const code = await attempt().then(
    () => 'started',
    (reason: unknown) => (reason instanceof SlimError ? reason.code : 'another error'),
  );
  const is = JSON.stringify([...store.records]) === before;
  return `${code}, and ${is ? 'everything is as it was' : 'something was changed'}`;
}

function es256(): { readonly pem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

const key = es256();
const withJwt = (subject: string, { pem, publicPem } = key): IdentitySource =>
  jwt({
    subject,
    signingKey: { pem, algorithm: 'ES256' },
    verificationKey: { pem: publicPem, algorithm: 'ES256' },
  });

describe('an application with a store', () => {
  it('has the same id and keys after every start', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    await first.close();
    const second = await start(store);
    expect(second.name.toString()).toBe(first.name.toString());
    expect(second.restored).toStrictEqual([]);
    const other = await fabric.connect(name);
    expect(other.name.toString()).not.toBe(first.name.toString());
  });

  it('is refused a store of another secret or name, and nothing is changed', async () => {
    const store = await left();
    const another = sharedSecret({ secret: 'another secret, which nobody else in here knows' });
    expect(await outcome(store, () => start(store, another))).toBe(refusal);
    expect(
      await outcome(store, () => fabric.connect('org/ns/wrong', { store: store.source })),
    ).toBe(refusal);
    expect((await start(store)).restored).toHaveLength(1);
  });

  it('is refused a store with any record damaged, moved or of a later schema', async () => {
    const store = await left();
    const kinds = [...store.records.keys()].map((place) => place.split(' ')[0]);
    expect(new Set(kinds)).toStrictEqual(new Set(['epoch', 'header', 'identity', 'session']));
    for (const [place, record] of [...store.records]) {
      const changed = record.value.slice();
      changed[1] = (changed[1] ?? 0) ^ 2;
      store.records.set(place, { ...record, value: changed });
      expect(await outcome(store, () => start(store))).toBe(refusal);
      store.records.set(place, record);
    }
    expect((await start(store)).restored).toHaveLength(1);
  });

  it.each(['identity', 'epoch', 'header'])('is refused a store without its %s', async (kind) => {
    const store = await left();
    const place = [...store.records.keys()].find((each) => each.startsWith(kind));
    store.records.delete(place ?? '');
    expect(await outcome(store, () => start(store))).toBe(refusal);
  });

  it('is refused a store that is in use', async () => {
    const store = new MemoryStore();
    await start(store);
    expect(await outcome(store, () => start(store))).toBe(refusal);
  });

  it('gives the store back when it cannot connect', async () => {
    const store = new MemoryStore();
    const down = { target: 'nobody', dial: () => Promise.reject(new Error('nobody answers')) };
    const attempt = fabric.connect(name, { store: store.source, diallers: [down] });
    await expect(attempt).rejects.toMatchObject({ code: 'link-failed' });
    await expect(start(store)).resolves.toBeDefined();
  });

  it('keeps its keys with a JWT, by its signing key however that is written', async () => {
    const store = new MemoryStore();
    await (await start(store, withJwt('app-1'))).close();
    const broken = { ...key, pem: key.pem.replaceAll('\n', '\r\n') };
    await (await start(store, withJwt('app-1', broken))).close();
    expect(await outcome(store, () => start(store, withJwt('app-2')))).toBe(refusal);
    expect(await outcome(store, () => start(store, withJwt('app-1', es256())))).toBe(refusal);
  });

  it('takes an identity of its own only with a passphrase', async () => {
    const keys = nodeCrypto.signingKeyPair();
    const own: IdentitySource = (context) => {
      const { recall: _, ...without } = context;
      const { provider, verifier } = sharedSecret({ secret })(without);
      const token = (): string => provider.token();
      return { provider: { tokenId: 'own', keys, token }, verifier };
    };
    await expect(start(new MemoryStore(), own)).rejects.toMatchObject({ code: 'invalid-config' });
    const store = new MemoryStore('a passphrase of more than 32 bytes, which is long');
    await (await start(store, own)).close();
    await (await start(store, own)).close();
    expect(await outcome(store, () => start(store))).toBe(refusal);
  });
});
