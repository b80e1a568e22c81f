import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TextSource } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { filesAreRead } from '../../../../test/support/files-are-read.js';
import { watchedFile } from './watched-file.js';

let folder: string;
let path: string;
let clock: ManualClock;
let file: TextSource;
const stops: (() => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-watched-'));
  path = join(folder, 'file');
  clock = new ManualClock();
  file = watchedFile(path, { clock, checkMs: 1_000 });
});

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await rm(folder, { recursive: true });
});

const told = (): Promise<string> =>
  new Promise((resolve) => stops.push(file.onChange(() => resolve('told'))));

/** What the file is for whoever listens from before the change on. */
async function after(change: () => Promise<unknown>): Promise<unknown> {
  const changed = told();
  await text();
  await change();
  clock.advance(1_000);
  await changed;
  return text();
}

const text = async (): Promise<string> => {
  try {
    return await file.text();
  } catch (reason) {
    return (reason as Error).message.replace(path, 'the file');
  }
};

describe('a watched file', () => {
  it('may be written in place, and be empty meanwhile', async () => {
    await writeFile(path, 'first');
    expect(await after(() => truncate(path))).toBe('');
    expect(await after(() => writeFile(path, 'other'))).toBe('other');
  });

  it('may be replaced by a rename', async () => {
    await writeFile(path, 'first');
    await writeFile(`${path}.new`, 'second');
    expect(await after(() => rename(`${path}.new`, path))).toBe('second');
  });

  it('may be behind links that are swapped, as Kubernetes does', async () => {
    for (const version of ['..1', '..2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'file'), version);
    }
    await symlink('..1', join(folder, '..data'));
    await symlink(join('..data', 'file'), path);
    await symlink('..2', join(folder, '..data_tmp'));
    const swap = () => rename(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(await after(swap)).toBe('..2');
  });

  it('may be missing for a while, its folder too', async () => {
    path = join(folder, 'inner', 'file');
    file = watchedFile(path, { clock, checkMs: 1_000 });
    const write = async (content: string): Promise<void> => {
      await mkdir(join(folder, 'inner'));
      await writeFile(path, content);
    };
    expect(await after(() => write('one'))).toBe('one');
    const gone = await after(() => rm(join(folder, 'inner'), { recursive: true }));
    expect(gone).toMatch(/^reading the file: .*ENOENT/);
    expect(await after(() => write('two'))).toBe('two');
  });

  it('is looked at for its first listener at once, so that no change after that is missed', async () => {
    await writeFile(path, 'first');
    const changed = told();
    await filesAreRead();
    await writeFile(path, 'second');
    clock.advance(1_000);
    expect(await changed).toBe('told');
  });

  it('tells nobody of a text that is the one it was', async () => {
    await writeFile(path, 'same');
    const log: string[] = [];
    stops.push(file.onChange(() => log.push('told')));
    await text();
    // A file that is written in place is empty at first, which whoever still reads would find.
    await writeFile(`${path}.new`, 'same');
    await rename(`${path}.new`, path);
    await text();
    expect(log).toStrictEqual([]);
  });
});
