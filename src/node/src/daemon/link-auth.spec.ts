import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { authenticatorOf } from './link-auth.js';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** A file with a set of one public key. */
async function keySetFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slim-keys-'));
  folders.push(folder);
  const file = join(folder, 'keys.json');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = publicKey.export({ format: 'jwk' });
  await writeFile(file, JSON.stringify({ keys: [{ ...key, kid: 'one' }] }));
  return file;
}

describe('authenticatorOf', () => {
  it.each([
    ['broken', (file: string) => writeFile(file, 'no JSON')],
    ['gone', (file: string) => rm(file)],
  ])('tells of a file with a set of keys that is %s', async (_what, change) => {
    const clock = new ManualClock();
    const file = await keySetFile();
    let told: (error: SlimError) => void = () => undefined;
    const error = new Promise<SlimError>((resolve) => (told = resolve));
    const key = { algorithm: 'ES256', format: 'jwks', key: { file } } as const;
    const auth = { type: 'jwt', key: { type: 'decoding', ...key } } as const;
    const authenticator = await authenticatorOf(auth, (reason) => told(reason), clock);
    await change(file);
    clock.advance(5_000);
    expect(await error).toMatchObject({ code: 'invalid-config' });
    authenticator?.close?.();
    // Keys are closed as soon as it is known that they are open.
    await setImmediate();
    expect(clock.pending).toBe(0);
  });
});
