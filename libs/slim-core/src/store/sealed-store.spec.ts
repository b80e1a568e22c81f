import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { MemoryStore } from '../testing/memory-store.js';
import { SealedStore } from './sealed-store.js';
import type { StateRecord } from './state-store.js';

const secret = new TextEncoder().encode('a secret that lasts, of some 40 bytes ...');
const otherSecret = new TextEncoder().encode('another one that lasts, of some 40 bytes ...');
const flush = { flush: true };
const value = new TextEncoder().encode('what is kept');

async function opened(place: MemoryStore, key: Uint8Array | undefined = secret) {
  const store = await place.source();
  try {
    const sealed = new SealedStore(store, nodeCrypto);
    return { sealed, records: sealed.unlock(key) };
  } catch (reason) {
    await store.close();
    throw reason;
  }
}

/** A place with two records in it, and nobody who has it open. */
async function filled(passphrase?: string): Promise<MemoryStore> {
  const place = new MemoryStore(passphrase);
  const { sealed } = await opened(place);
  sealed.write(
    [
      { kind: 'session', key: '1', value },
      { kind: 'session', key: '2', value },
    ],
    flush,
  );
  await sealed.close();
  return place;
}

function at(place: MemoryStore, name: string): StateRecord {
  const record = place.records.get(name);
  if (!record) throw new Error(`no record ${name}`);
  return record;
}

const refusal = 'store-failed, and everything is as it was';

/** How opening a place ends. */
async function attempt(place: MemoryStore, key?: Uint8Array): Promise<string> {
  const before = JSON.stringify([...place.records]);
  const code = await opened(place, key).then(
    () => 'opened',
    (reason: unknown) => (reason instanceof SlimError ? reason.code : 'another error'),
  );
  const is = JSON.stringify([...place.records]) === before;
  return `${code}, and ${is ? 'everything is as it was' : 'something was changed'}`;
}

describe('SealedStore', () => {
  it('gives back what was written, and nothing of it is readable below', async () => {
    const place = await filled();
    const { records } = await opened(place);
    expect(records).toStrictEqual([
      { kind: 'session', key: '1', value },
      { kind: 'session', key: '2', value },
    ]);
    const below = [...place.records.values()].map((each) =>
      Buffer.from(each.value).toString('latin1'),
    );
    expect(below.join()).not.toContain('what is kept');
    // A key and a nonce of its own each time, though both hold the same.
    expect(at(place, 'session 1').value).not.toStrictEqual(at(place, 'session 2').value);
  });

  it('refuses another secret', async () => {
    expect(await attempt(await filled(), otherSecret)).toBe(refusal);
  });

  it.each(['session 1', 'header nestjs-slim'])('refuses any changed bit of "%s"', async (name) => {
    const place = await filled();
    const record = at(place, name);
    for (let byte = 0; byte < record.value.length; byte += 1) {
      const changed = record.value.slice();
      changed[byte] = (changed[byte] ?? 0) ^ (1 << (byte % 8));
      place.records.set(name, { ...record, value: changed });
      expect(await attempt(place)).toBe(refusal);
    }
  });

  it.each(['session 1', 'header nestjs-slim'])('refuses "%s" cut off anywhere', async (name) => {
    const place = await filled();
    const record = at(place, name);
    for (let length = 0; length < record.value.length; length += 1) {
      place.records.set(name, { ...record, value: record.value.subarray(0, length) });
      expect(await attempt(place)).toBe(refusal);
    }
  });

  it('refuses records that changed places', async () => {
    const place = await filled();
    const [first, second] = [at(place, 'session 1'), at(place, 'session 2')];
    place.records.set('session 1', { ...first, value: second.value });
    place.records.set('session 2', { ...second, value: first.value });
    expect(await attempt(place)).toBe(refusal);
  });

  it.each([
    { kind: 'epoch', key: '1' },
    { kind: 'session', key: '3' },
  ])('refuses a record as %j', async (elsewhere) => {
    const place = await filled();
    place.records.set('moved', { ...at(place, 'session 1'), ...elsewhere });
    expect(await attempt(place)).toBe(refusal);
  });

  it('refuses records without a header, and those of a later schema', async () => {
    const place = await filled();
    const header = at(place, 'header nestjs-slim');
    const later = header.value.slice();
    later[1] = 2;
    place.records.set('header nestjs-slim', { ...header, value: later });
    await expect(opened(place)).rejects.toThrow(/expected schema 1, found 2/);
    place.records.delete('header nestjs-slim');
    expect(await attempt(place)).toBe(refusal);
  });

  it('is sealed with a passphrase where it has one', async () => {
    const passphrase = 'a passphrase of more than 32 bytes, which is long';
    const place = await filled(passphrase);
    expect((await opened(place, otherSecret)).records).toHaveLength(2);
    const without = new MemoryStore();
    for (const [name, record] of place.records) without.records.set(name, record);
    expect(await attempt(without)).toBe(refusal);
  });

  it('wants a passphrase where the identity has no secret, of some length', async () => {
    const store = await new MemoryStore().source();
    const sealed = new SealedStore(store, nodeCrypto);
    expect(() => sealed.unlock(undefined)).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
    await expect(opened(new MemoryStore('short'))).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.not.stringContaining('short'),
    });
  });

  it('writes nothing any more once it is closed', async () => {
    const place = await filled();
    const { sealed } = await opened(place);
    await sealed.close();
    sealed.write([{ kind: 'session', key: '9', value }], flush);
    expect(place.records.has('session 9')).toBe(false);
  });
});
