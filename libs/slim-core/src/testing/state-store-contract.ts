import { afterEach, describe, expect, it } from '@jest/globals';
import type { StateRecord, StateStore, StateStoreSource } from '../store/state-store.js';

/** A new place, with nothing in it, where stores can be opened one after the other. */
export type MakePlace = () => StateStoreSource;

const opened = new Set<StateStore>();

async function open(source: StateStoreSource): Promise<StateStore> {
  const store = await source();
  opened.add(store);
  return store;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const sorted = (records: readonly StateRecord[]): string[] =>
  records.map(({ kind, key, value }) => `${kind} ${key} ${value.join()}`).toSorted();
const flush = { flush: true };

/** What every `StateStore` promises. */
export function stateStoreContract(name: string, make: MakePlace): void {
  afterEach(async () => {
    for (const store of opened) await store.close();
    opened.clear();
  });
  describe(`${name} as a store`, () => {
    describe('keeping records', () => keepsRecords(make));
    describe('having one owner', () => hasOneOwner(make));
  });
}

function keepsRecords(make: MakePlace): void {
  it('has nothing at first', async () => {
    expect((await open(make())).read()).toStrictEqual([]);
  });

  it.each([{ flush: true }, { flush: false }])(
    'has what was written when it is opened again, with %j',
    async (options) => {
      const source = make();
      const store = await open(source);
      const change = { kind: 'a', key: '1', value: bytes(1, 2) };
      const erased = { kind: 'a', key: '2', value: undefined };
      store.write([change, { ...erased, value: bytes() }], options);
      store.write([{ kind: 'b', key: '1', value: bytes(3) }], options);
      store.write([{ ...change, value: bytes(4) }, erased], options);
      await store.close();
      expect(sorted((await open(source)).read())).toStrictEqual(['a 1 4', 'b 1 3']);
    },
  );

  it('owns what it was given', async () => {
    const store = await open(make());
    const value = bytes(1);
    store.write([{ kind: 'a', key: '1', value }], flush);
    value.fill(9);
    expect(sorted(store.read())).toStrictEqual(['a 1 1']);
  });

  it('erases what is not there', async () => {
    const store = await open(make());
    store.write([{ kind: 'a', key: '1', value: undefined }], flush);
    expect(store.read()).toStrictEqual([]);
  });
}

function hasOneOwner(make: MakePlace): void {
  it('is opened by one at a time', async () => {
    const source = make();
    const store = await open(source);
    await expect((async () => source())()).rejects.toMatchObject({ code: 'store-failed' });
    await store.close();
    await store.close();
    expect((await open(source)).read()).toStrictEqual([]);
  });
}
