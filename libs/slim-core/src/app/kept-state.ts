import { fromBase64, toBase64 } from '../auth/base64.js';
import type { IdentityProvider, KeptIdentity } from '../auth/identity.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { SlimName } from '../names/slim-name.js';
import { SealedStore } from '../store/sealed-store.js';
import type { StateRecord, StateStoreSource } from '../store/state-store.js';

/** Who the application is, as it is kept. */
interface IdentityRecord {
  readonly name: string;
  readonly tokenId: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

const kind = 'identity';
const key = 'application';

/** The store of one application: who it is, and the records of its sessions. */
export class KeptState {
  readonly store: SealedStore;
  readonly #crypto: Crypto;
  readonly #name: string;
  #records: readonly StateRecord[] = [];
  #identity: KeptIdentity | undefined;

  private constructor(store: SealedStore, crypto: Crypto, name: SlimName) {
    this.store = store;
    this.#crypto = crypto;
    this.#name = name.service;
  }

  /** Reads everything and changes nothing. @throws SlimError `store-failed`, `invalid-config` */
  static async open(source: StateStoreSource, crypto: Crypto, name: SlimName): Promise<KeptState> {
    const store = await source();
    try {
      return new KeptState(new SealedStore(store, crypto), crypto, name);
    } catch (reason) {
      await store.close();
      throw reason;
    }
  }

  /** See `IdentityContext.recall`. */
  readonly recall = (secret: Uint8Array | undefined): KeptIdentity | undefined => {
    if (this.store.isOpen) return this.#identity;
    const records = this.store.unlock(secret);
    const own = records.find((record) => record.kind === kind && record.key === key);
    if (!own && records.length > 0) throw foreign('it does not say whose it is');
    this.#records = records.filter((record) => record !== own);
    this.#identity = own && this.#parse(own.value);
    return this.#identity;
  };

  /**
   * Keeps the identity that was made, or compares it with the one that was kept.
   * @throws SlimError `store-failed`, `invalid-config`
   */
  confirm({ tokenId, keys }: IdentityProvider): void {
    const known = this.recall(undefined);
    if (!known) {
      const { publicKey, privateKey } = keys;
      const name = this.#name;
      return this.#write({
        ...{ name, tokenId },
        ...{ publicKey: toBase64(publicKey), privateKey: toBase64(privateKey) },
      });
    }
    if (known.tokenId !== tokenId)
      throw foreign(`it is of "${known.tokenId}", not of "${tokenId}"`);
    if (!this.#crypto.equal(known.keys.publicKey, keys.publicKey)) {
      throw foreign(`"${tokenId}" has other keys now`);
    }
  }

  /** The records of sessions, which are not held any longer. */
  take(): readonly StateRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  #parse(value: Uint8Array): KeptIdentity {
    // Sealed by this schema, so it is what was written.
    const record = JSON.parse(new TextDecoder().decode(value)) as IdentityRecord;
    const { name, tokenId } = record;
    if (name !== this.#name) throw foreign(`it is of "${name}", not of "${this.#name}"`);
    const publicKey = fromBase64(record.publicKey);
    const privateKey = fromBase64(record.privateKey);
    if (!publicKey || !privateKey) throw foreign('its keys cannot be read');
    return { tokenId, keys: { publicKey, privateKey } };
  }

  #write(record: IdentityRecord): void {
    const value = new TextEncoder().encode(JSON.stringify(record));
    this.store.write([{ kind, key, value }], { flush: true });
  }
}

function foreign(why: string): SlimError {
  return new SlimError('store-failed', `the store is not of this application: ${why}`);
}
