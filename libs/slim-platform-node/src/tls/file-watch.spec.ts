import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileWatch, foldersOf } from './file-watch.js';

let path = '';

beforeEach(() => {
  path = realpathSync(mkdtempSync(join(tmpdir(), 'slim-watch-')));
});

afterEach(() => {
  rmSync(path, { recursive: true, force: true });
});

describe('foldersOf', () => {
  it('is the folder of a file', () => {
    writeFileSync(join(path, 'file'), '');
    expect(foldersOf(join(path, 'file'))).toStrictEqual([path]);
  });

  it('has the folder of every symbolic link on the way', () => {
    mkdirSync(join(path, 'real', 'inner'), { recursive: true });
    writeFileSync(join(path, 'real', 'inner', 'file'), '');
    mkdirSync(join(path, 'links'));
    symlinkSync('../real', join(path, 'links', 'way'));
    symlinkSync(join(path, 'links', 'way', 'inner', 'file'), join(path, 'alias'));
    expect(foldersOf(join(path, 'alias'))).toStrictEqual([
      path,
      join(path, 'links'),
      join(path, 'real', 'inner'),
    ]);
  });

  it('ends where the way does', () => {
    expect(foldersOf(join(path, 'none', 'file'))).toStrictEqual([path]);
  });

  it('is not led around in circles', () => {
    symlinkSync('two', join(path, 'one'));
    symlinkSync('one', join(path, 'two'));
    expect(new Set(foldersOf(join(path, 'one')))).toStrictEqual(new Set([path]));
  });
});

describe('FileWatch', () => {
  it('notices a file in a folder that did not exist, and one in the folder that replaced it', async () => {
    const file = join(path, 'folder', 'file');
    let noticed = (): void => undefined;
    const failures: unknown[] = [];
    const watch = new FileWatch({
      paths: [file],
      changed: () => noticed(),
      failed: (error) => failures.push(error),
      clock: {
        now: () => 0,
        schedule: (_, task) => {
          const soon = setImmediate(task);
          return () => clearImmediate(soon);
        },
      },
    });
    const after = async (act: () => void): Promise<void> => {
      const change = new Promise<void>((resolve) => (noticed = resolve));
      act();
      await change;
    };
    await after(() => mkdirSync(join(path, 'folder')));
    await after(() => writeFileSync(file, 'one'));
    await after(() => rmSync(join(path, 'folder'), { recursive: true }));
    await after(() => mkdirSync(join(path, 'folder')));
    await after(() => writeFileSync(file, 'two'));
    watch.close();
    watch.close();
    expect(failures).toStrictEqual([]);
  });
});
