import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jwtSigner, type TokenSource } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { fileTokenSource } from './file-token-source.js';

let folder: string;
let path: string;
let clock: ManualClock;
let source: TokenSource;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-token-'));
  path = join(folder, 'token');
  clock = new ManualClock();
  source = fileTokenSource(path, { clock });
});

afterEach(async () => {
  source.close?.();
  await rm(folder, { recursive: true });
});

/** A token that is good for a minute. */
const minute = jwtSigner({
  subject: 'a',
  signingKey: { secret: 'a secret of the tests of this file' },
  lifetimeMs: 60_000,
  clock: new ManualClock(),
});

/** What a listener is told of, when a change is made and the file is looked at again. */
async function told(change: () => Promise<unknown>): Promise<string> {
  const changed = new Promise<void>((resolve) => source.onChange?.(resolve));
  await source.token();
  await change();
  clock.advance(5_000);
  await changed;
  return source.token();
}

describe('a token in a file', () => {
  it('is handed out without the white space around it', async () => {
    await writeFile(path, ' a.b.c \r\n');
    expect(await source.token()).toBe('a.b.c');
    expect(clock.pending).toBe(0);
  });

  it('is the one that stands there now, listener or not', async () => {
    await writeFile(path, 'first');
    await source.token();
    await writeFile(path, 'second');
    expect(await source.token()).toBe('second');
  });

  it('tells of a change, and is then the new one', async () => {
    await writeFile(path, 'first\n');
    expect(await told(() => writeFile(path, 'other\n'))).toBe('other');
  });

  it('stays in use while the file is empty or missing, until it expires', async () => {
    const token = await minute();
    await writeFile(path, token);
    expect(await told(() => truncate(path))).toBe(token);
    await writeFile(path, '\n\n');
    expect(await source.token()).toBe(token);
    await rm(path);
    expect(await source.token()).toBe(token);
    clock.advance(60_000);
    await expect(source.token()).rejects.toMatchObject({ code: 'invalid-config' });
    await writeFile(path, 'second');
    expect(await source.token()).toBe('second');
  });

  it('is not taken for one when it has something in its middle, and is not shown', async () => {
    await writeFile(path, 'not\na token');
    await expect(source.token()).rejects.toMatchObject({
      code: 'invalid-config',
      message: `expected a token in ${path}, got white space or unusual characters in it`,
    });
  });

  it.each([
    ['missing', undefined, 'ENOENT'],
    ['empty', '', 'got an empty file'],
  ])('is a typed error when the file is %s', async (_what, content, why) => {
    if (content !== undefined) await writeFile(path, content);
    await expect(source.token()).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(new RegExp(`${path}.*${why}`)),
    });
  });

  it('tells every listener once, and nobody who left', async () => {
    await writeFile(path, 'first');
    const log: string[] = [];
    const leave = source.onChange?.(() => log.push('left'));
    const changed = new Promise<void>((resolve) => {
      source.onChange?.(() => log.push('a'));
      source.onChange?.(() => {
        log.push('b');
        resolve();
      });
    });
    await source.token();
    leave?.();
    await writeFile(path, 'second');
    clock.advance(5_000);
    await changed;
    await source.token();
    expect(log).toStrictEqual(['a', 'b']);
  });

  it('leaves no timer behind when its listeners leave, or when it is closed while it is read', async () => {
    await writeFile(path, 'first');
    const leave = source.onChange?.(() => undefined);
    expect(clock.pending).toBe(1);
    leave?.();
    expect(clock.pending).toBe(0);
    source.onChange?.(() => undefined);
    clock.advance(5_000);
    source.close?.();
    source.close?.();
    // What is read now was asked for after what the timer had asked for.
    await source.token();
    expect(clock.pending).toBe(0);
  });

  it.each([0, 99, NaN, Infinity])('cannot be looked at every %d ms', (checkMs) => {
    expect(() => fileTokenSource(path, { checkMs })).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: `expected checkMs to be at least 100, got ${checkMs}`,
      }),
    );
  });
});
