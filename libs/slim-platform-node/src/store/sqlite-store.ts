import { rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  SlimError,
  type StateRecord,
  type StateStore,
  type StateStoreSource,
} from '@nestjs-slim/core';
import type { Database, Statement } from 'node-sqlite3-wasm';
import { StoreLock } from './store-lock.js';

/** Where an application keeps what survives a restart. */
export interface SqliteStoreOptions {
  /** The file, made when it is not there. On a disk of this machine, for one application. */
  readonly path: string;
  /** Seals what is kept, in the place of a secret of the identity; 32 bytes of UTF-8 or more. */
  readonly passphrase?: string;
}

/** `SLIM`: what SQLite calls the application that a file belongs to. */
const applicationId = 0x534c_494d;

/**
 * A file that outlives the application, for `SlimApp.connect({ store })`. SQLite, in WebAssembly, is loaded
 * when the application connects.
 * @throws SlimError `invalid-config`
 */
export function sqliteStore({ path, passphrase }: SqliteStoreOptions): StateStoreSource {
  if (typeof path !== 'string' || path === '') {
    throw new SlimError('invalid-config', 'expected the path of a file for the store');
  }
  return async () => {
    const file = resolve(path);
    const lock = await StoreLock.take(file);
    try {
      return new SqliteStore(await open(file), file, { lock, passphrase });
    } catch (reason) {
      await lock.release();
      throw reason;
    }
  };
}

/**
 * What is written to the log of SQLite (WAL) is there for the next process, and after a flush for the next
 * start of the machine. Old values are overwritten, and the log is emptied after each flush.
 */
class SqliteStore implements StateStore {
  readonly passphrase: string | undefined;
  readonly #database: Database;
  readonly #file: string;
  readonly #lock: StoreLock;
  readonly #put: Statement;
  readonly #erase: Statement;
  #closing: Promise<void> | undefined;

  constructor(
    database: Database,
    file: string,
    { lock, passphrase }: { readonly lock: StoreLock; readonly passphrase: string | undefined },
  ) {
    this.passphrase = passphrase;
    this.#database = database;
    this.#file = file;
    this.#lock = lock;
    this.#put = database.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?)');
    this.#erase = database.prepare('DELETE FROM record WHERE kind = ? AND key = ?');
  }

  read(): readonly StateRecord[] {
    return this.#try('reading', () =>
      this.#database.all('SELECT kind, key, value FROM record').map((row) => {
        const { kind, key, value } = row;
        const isRecord =
          typeof kind === 'string' && typeof key === 'string' && value instanceof Uint8Array;
        if (!isRecord) throw new Error('a record is damaged');
        return { kind, key, value };
      }),
    );
  }

  write(...[changes, { flush }]: Parameters<StateStore['write']>): void {
    if (this.#closing) throw new SlimError('store-failed', `the store "${this.#file}" is closed`);
    this.#try('writing', () => {
      this.#database.exec(`PRAGMA synchronous = ${flush ? 'FULL' : 'NORMAL'}; BEGIN IMMEDIATE`);
      try {
        for (const { kind, key, value } of changes) {
          if (value) this.#put.run([kind, key, value]);
          else this.#erase.run([kind, key]);
        }
        this.#database.exec('COMMIT');
      } catch (reason) {
        if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
        throw reason;
      }
    });
    if (flush) this.#emptyLog();
  }

  /** What was replaced stands in the log and, until then, in the file. */
  #emptyLog(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Everything was written all the same, and the next flush empties the log of this one too.
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      this.#try('closing', () => {
        this.#put.finalize();
        this.#erase.finalize();
        this.#database.close();
      });
    } finally {
      await this.#lock.release();
    }
  }

  #try<Result>(what: string, action: () => Result): Result {
    try {
      return action();
    } catch (reason) {
      throw SlimError.from(reason, 'store-failed', `${what} the store "${this.#file}"`);
    }
  }
}

/** @throws SlimError `store-failed` for a file of something else, which is not changed */
async function open(file: string): Promise<Database> {
  const { default: sqlite } = await import('node-sqlite3-wasm');
  // SQLite's own lock, which a killed process leaves behind. Who has ours owns it.
  await rmdir(`${file}.lock`).catch(() => {
    // There was none.
  });
  let database: Database | undefined;
  try {
    database = new sqlite.Database(file);
    prepare(database);
    return database;
  } catch (reason) {
    database?.close();
    throw SlimError.from(reason, 'store-failed', `opening the store "${file}"`);
  }
}

function prepare(database: Database): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = ON');
  const owner = database.get('PRAGMA application_id')?.application_id;
  const tables = database.get('SELECT count(*) AS count FROM sqlite_schema')?.count;
  const isNew = owner === 0 && tables === 0;
  if (!isNew && owner !== applicationId) throw new Error('the file is of another program');
  if (!isNew) {
    const check = database.get('PRAGMA integrity_check')?.integrity_check;
    if (check !== 'ok') throw new Error('the file is damaged');
  }
  database.exec('PRAGMA journal_mode = WAL');
  if (!isNew) return;
  database.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${applicationId};
    CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
      PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID; COMMIT`);
}
