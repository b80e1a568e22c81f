import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { StateChange, StateRecord, StateStore, WriteOptions } from './state-store.js';
import { readHeader, schemaVersion, toHeader, unusable } from './store-header.js';

const saltBytes = 32;
const nonceBytes = 12;
const keyBytes = 32;
const minSecretBytes = 32;
const master = new TextEncoder().encode('nestjs-slim store');

type State =
  | { readonly kind: 'locked'; readonly records: readonly StateRecord[] }
  | { readonly kind: 'open'; readonly key: Uint8Array }
  | { readonly kind: 'closed' };

/**
 * Records sealed with AES-256-GCM before they reach a store. Each is bound to its kind, its key and the
 * schema, so that none can take the place of another. Every writing has a key of its own, derived with a
 * random salt, because one key must not seal without end and a session keeps the number of every message.
 */
export class SealedStore {
  readonly #store: StateStore;
  readonly #crypto: Crypto;
  readonly #salt: Uint8Array;
  readonly #isNew: boolean;
  #state: State;

  /** Reads everything and changes nothing. Takes over the store. @throws SlimError `store-failed` */
  constructor(store: StateStore, crypto: Crypto) {
    const records = store.read();
    this.#store = store;
    this.#crypto = crypto;
    this.#isNew = records.length === 0;
    this.#salt = this.#isNew ? crypto.random(saltBytes) : readHeader(records);
    this.#state = { kind: 'locked', records };
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /**
   * Opens every record with a secret of the identity, or with the passphrase of the store; once.
   * @throws SlimError `invalid-config` without either, `store-failed` when one record does not open
   */
  unlock(secret: Uint8Array | undefined): readonly StateRecord[] {
    const { passphrase } = this.#store;
    const ikm = passphrase === undefined ? secret : new TextEncoder().encode(passphrase);
    if (!ikm) {
      const why = 'this identity has no secret that lasts: expected the store to have a passphrase';
      throw new SlimError('invalid-config', why);
    }
    if (ikm.length < minSecretBytes) {
      const expected = `expected a passphrase of at least ${minSecretBytes} bytes`;
      throw new SlimError('invalid-config', `${expected}, got ${ikm.length}`);
    }
    if (this.#state.kind !== 'locked') throw unusable('it is open or closed already');
    const key = this.#crypto.hkdfSha256(ikm, this.#salt, master, keyBytes);
    const opened = this.#state.records.flatMap((record) =>
      record.kind === headerKind ? [] : [{ ...record, value: this.#open(key, record) }],
    );
    this.#state = { kind: 'open', key };
    if (this.#isNew) this.#store.write([toHeader(this.#salt)], { flush: true });
    return opened;
  }

  /** As `StateStore.write`. Does nothing once it is closed. @throws SlimError `store-failed` */
  write(changes: readonly StateChange[], options: WriteOptions): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    if (state.kind === 'locked') throw unusable('it is locked');
    const sealed = changes.map((change) => ({
      ...change,
      value: change.value && this.#seal(state.key, change, change.value),
    }));
    this.#store.write(sealed, options);
  }

  /** Forgets the key. May be called twice. */
  async close(): Promise<void> {
    if (this.#state.kind === 'open') this.#state.key.fill(0);
    this.#state = { kind: 'closed' };
    await this.#store.close();
  }

  /** Salt, nonce, ciphertext with its tag. */
  #seal(key: Uint8Array, of: Place, value: Uint8Array): Uint8Array {
    const salt = this.#crypto.random(saltBytes);
    const nonce = this.#crypto.random(nonceBytes);
    const aad = placeBytes(of);
    const once = this.#crypto.hkdfSha256(key, salt, aad, keyBytes);
    const ciphertext = this.#crypto.seal(once, nonce, aad, value);
    once.fill(0);
    const sealed = new Uint8Array(saltBytes + nonceBytes + ciphertext.length);
    sealed.set(salt);
    sealed.set(nonce, saltBytes);
    sealed.set(ciphertext, saltBytes + nonceBytes);
    return sealed;
  }

  #open(key: Uint8Array, record: StateRecord): Uint8Array {
    const { value } = record;
    const aad = placeBytes(record);
    const once = this.#crypto.hkdfSha256(key, value.subarray(0, saltBytes), aad, keyBytes);
    const nonce = value.subarray(saltBytes, saltBytes + nonceBytes);
    const isLongEnough = value.length > saltBytes + nonceBytes;
    const opened = isLongEnough
      ? this.#crypto.open(once, nonce, aad, value.subarray(saltBytes + nonceBytes))
      : undefined;
    once.fill(0);
    if (opened) return opened;
    const what = `the record "${record.kind}" "${record.key}" does not open`;
    throw unusable(`${what}: it was damaged, or the store belongs to another identity or secret`);
  }
}

const headerKind = toHeader(new Uint8Array(0)).kind;

type Place = Pick<StateRecord, 'kind' | 'key'>;

/** No kind and no key has a zero in it, so no two places are the same bytes. */
function placeBytes({ kind, key }: Place): Uint8Array {
  return new TextEncoder().encode(`${kind}\0${key}\0${schemaVersion}`);
}
