import { afterEach, describe, expect, it } from '@jest/globals';
import type { StateRecord, StateStore, StateStoreSource } from '../store/state-store.js';

/** Places where stores can be opened one after the other. */
export interface StorePlaces {
  /** A new place, with nothing in it. */
  make(): Promise<StateStoreSource> | StateStoreSource;
}

/** What every `StateStore` promises. */
export function stateStoreContract(name: string, places: StorePlaces): void {
  const open: StateStore[] = [];
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });

  async function opened(source: StateStoreSource): Promise<StateStore> {
    const store = await source();
    open.push(store);
    return store;
  }

  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const sorted = (records: readonly StateRecord[]): string[] =>
    records.map(({ kind, key, value }) => `${kind} ${key} ${value.join()}`).toSorted();
  const flush = { flush: true };

  describe(name, () => {
    it('has nothing at first', async () => {
      expect((await opened(await places.make())).read()).toStrictEqual([]);
    });

    it.each([{ flush: true }, { flush: false }])(
      'has what was written when it is opened again, with %j',
      async (options) => {
        const source = await places.make();
        const store = await opened(source);
        const change = { kind: 'a', key: '1', value: bytes(1, 2) };
        store.write([change, { kind: 'a', key: '2', value: bytes() }], options);
        store.write([{ kind: 'b', key: '1', value: bytes(3) }], options);
        store.write(
          [
            { ...change, value: bytes(4) },
            { kind: 'a', key: '2', value: undefined },
          ],
          options,
        );
        await store.close();
        expect(sorted((await opened(source)).read())).toStrictEqual(['a 1 4', 'b 1 3']);
      },
    );

    it('owns what it was given', async () => {
      const source = await places.make();
      const store = await opened(source);
      const value = bytes(1);
      store.write([{ kind: 'a', key: '1', value }], flush);
      value.fill(9);
      expect(sorted(store.read())).toStrictEqual(['a 1 1']);
    });

    it('erases what is not there', async () => {
      const store = await opened(await places.make());
      store.write([{ kind: 'a', key: '1', value: undefined }], flush);
      expect(store.read()).toStrictEqual([]);
    });

    it('is opened by one at a time', async () => {
      const source = await places.make();
      const store = await opened(source);
      await expect((async () => source())()).rejects.toMatchObject({ code: 'store-failed' });
      await store.close();
      await store.close();
      expect((await opened(source)).read()).toStrictEqual([]);
    });
  });
}
