import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stateStoreContract } from '../../../slim-core/src/testing/state-store-contract.js';
import { sqliteStore } from './sqlite-store.js';

let folder = '';
let made = 0;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'slim-store-'))));
afterAll(() => rm(folder, { recursive: true }));

const newPath = (): string => join(folder, `${(made += 1)}.db`);

stateStoreContract('sqliteStore', () => sqliteStore({ path: newPath() }));

const record = { kind: 'a', key: '1', value: new TextEncoder().encode('a value of before') };

/** Everything on disk that belongs to a store. */
async function filesOf(path: string): Promise<Buffer> {
  const names = (await readdir(folder)).filter((name) => join(folder, name).startsWith(path));
  const files = names.filter((name) => !name.includes('.lock') && !name.includes('.owner'));
  return Buffer.concat(await Promise.all(files.map((name) => readFile(join(folder, name)))));
}

describe('sqliteStore', () => {
  it('leaves nothing of a value that was replaced or erased', async () => {
    const path = newPath();
    const store = await sqliteStore({ path })();
    store.write([record, { ...record, key: '2' }], { flush: true });
    expect((await filesOf(path)).includes('a value of before')).toBe(true);
    const erased = { kind: 'a', key: '2', value: undefined };
    store.write([{ ...record, value: new Uint8Array(3) }, erased], { flush: true });
    expect((await filesOf(path)).includes('a value of before')).toBe(false);
    await store.close();
  });

  it('leaves one file behind when it is closed', async () => {
    const path = newPath();
    const store = await sqliteStore({ path })();
    store.write([record], { flush: false });
    await store.close();
    expect(
      (await readdir(folder)).filter((name) => join(folder, name).startsWith(path)),
    ).toHaveLength(1);
  });

  it('refuses a file of something else, and does not change it', async () => {
    const path = newPath();
    const text = 'a text that is longer than the header of a database is, and is none '.repeat(4);
    await writeFile(path, text);
    await expect((async () => sqliteStore({ path })())()).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringContaining(path),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
    // The refusal holds nothing.
    expect((await readdir(folder)).filter((name) => name.includes('.owner'))).toStrictEqual([]);
  });

  it('refuses a database of another program, and does not change it', async () => {
    const path = newPath();
    const { default: sqlite } = await import('node-sqlite3-wasm');
    const database = new sqlite.Database(path);
    database.exec('CREATE TABLE record (kind, key, value)');
    database.close();
    const before = await readFile(path);
    await expect((async () => sqliteStore({ path })())()).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringContaining('of another program'),
    });
    expect(await readFile(path)).toStrictEqual(before);
  });

  it('refuses a file that was cut off, and does not change it', async () => {
    const path = newPath();
    const store = await sqliteStore({ path })();
    store.write([{ ...record, value: new Uint8Array(20_000).fill(1) }], { flush: true });
    await store.close();
    const cut = (await readFile(path)).subarray(0, 10_000);
    await writeFile(path, cut);
    await expect((async () => (await sqliteStore({ path })()).read())()).rejects.toMatchObject({
      code: 'store-failed',
    });
    expect(await readFile(path)).toStrictEqual(Buffer.from(cut));
  });

  it('takes over what a process that was killed left, and lets one of many have it', async () => {
    const path = newPath();
    const source = sqliteStore({ path });
    const first = await source();
    first.write([record], { flush: false });
    await first.close();
    // What a killed process leaves: a socket that nobody listens on, and the lock of SQLite.
    const { spawnSync } = await import('node:child_process');
    const leave = `require('net').createServer().listen(${JSON.stringify(`${path}.owner.7`)}, () => {
      require('fs').mkdirSync(${JSON.stringify(`${path}.lock`)});
      process.kill(process.pid, 'SIGKILL');
    })`;
    spawnSync(process.execPath, ['-e', leave]);
    expect(await readdir(folder)).toEqual(expect.arrayContaining([`${made}.db.owner.7`]));

    const tries = await Promise.allSettled(Array.from({ length: 5 }, async () => source()));
    const [won, ...others] = tries.flatMap((each) =>
      each.status === 'fulfilled' ? [each.value] : [],
    );
    expect(others).toHaveLength(0);
    expect(won?.read()).toStrictEqual([record]);
    await won?.close();
  });

  it.each([undefined, '', 7])('expects a path, not %j', (path) => {
    expect(() => sqliteStore({ path: path as string })).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });

  it('says how long a path may be', async () => {
    const path = join(folder, 'x'.repeat(100));
    await expect((async () => sqliteStore({ path })())()).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('characters'),
    });
  });
});
