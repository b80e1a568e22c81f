/** One record of what an application keeps. */
export interface StateRecord {
  readonly kind: string;
  readonly key: string;
  readonly value: Uint8Array;
}

/** A record to write; without a value, one to erase. */
export interface StateChange {
  readonly kind: string;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** How changes are written. */
export interface WriteOptions {
  /** They are to outlive a power failure too, which takes longer; otherwise the process. */
  readonly flush: boolean;
}

/**
 * Where an application keeps records across restarts, and nobody else at the same time. Synchronous, because
 * the number of a message is kept before the message leaves. Everything but the header is sealed before it
 * comes here. `stateStoreContract`, beside our tests, is what every one of them keeps.
 */
export interface StateStore {
  /** Seals the records in the place of a secret of the identity; 32 bytes of UTF-8 or more. */
  readonly passphrase?: string | undefined;
  /** Every record, in any order. @throws SlimError `store-failed` */
  read(): readonly StateRecord[];
  /** All of the changes or none of them. What is replaced or erased is gone. @throws SlimError `store-failed` */
  write(changes: readonly StateChange[], options: WriteOptions): void;
  /** May be called twice. */
  close(): void | Promise<void>;
}

/**
 * Opens a store for one application, such as `sqliteStore({ path })` of `@nestjs-slim/platform-node`.
 * @throws SlimError `store-failed`, `invalid-config`
 */
export type StateStoreSource = () => StateStore | Promise<StateStore>;
