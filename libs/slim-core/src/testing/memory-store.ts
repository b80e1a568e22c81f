import { SlimError } from '../errors/slim-error.js';
import type { StateRecord, StateStore, StateStoreSource } from '../store/state-store.js';

const placeOf = ({ kind, key }: Pick<StateRecord, 'kind' | 'key'>): string => `${kind} ${key}`;

/** What is kept in memory, as a file would keep it. It outlives the stores that are opened on it, one at a time. */
export class MemoryStore {
  readonly records = new Map<string, StateRecord>();
  /** Every write fails while this is set. */
  isFull = false;
  writes = 0;
  readonly #passphrase: string | undefined;
  #opened: object | undefined;

  constructor(passphrase?: string) {
    this.#passphrase = passphrase;
  }

  /** What a process that is killed now leaves behind. */
  copy(): MemoryStore {
    const copy = new MemoryStore(this.#passphrase);
    for (const [place, record] of this.records) copy.records.set(place, { ...record });
    return copy;
  }

  readonly source: StateStoreSource = () => {
    if (this.#opened) throw new SlimError('store-failed', 'the store is in use');
    const opened = {};
    this.#opened = opened;
    return this.#open(opened);
  };

  #open(opened: object): StateStore {
    return {
      passphrase: this.#passphrase,
      read: () =>
        [...this.records.values()].map((each) => ({ ...each, value: each.value.slice() })),
      write: (changes) => {
        if (this.isFull) throw new SlimError('store-failed', 'the store is full');
        this.writes += 1;
        for (const { kind, key, value } of changes) {
          const place = placeOf({ kind, key });
          if (value) this.records.set(place, { kind, key, value: value.slice() });
          else this.records.delete(place);
        }
      },
      close: () => {
        if (this.#opened === opened) this.#opened = undefined;
      },
    };
  }
}
