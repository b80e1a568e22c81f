import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spiffeBundleFile } from './spiffe-bundle.js';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-bundle-'));
  path = join(folder, 'bundle.json');
});
afterAll(() => rm(folder, { recursive: true }));

describe('a bundle file of spiffe-helper', () => {
  const keys = '{"keys":[]}';

  it('has the key set of a trust domain in base64', async () => {
    await writeFile(path, JSON.stringify({ 'example.org': Buffer.from(keys).toString('base64') }));
    expect(await spiffeBundleFile(path, 'example.org').text()).toBe(keys);
  });

  it.each(['', '{', '7', '[]', '{"example.org":7}', '{"other.example":"e30="}'])(
    'is refused when it is %j',
    async (text) => {
      await writeFile(path, text);
      await expect(spiffeBundleFile(path, 'example.org').text()).rejects.toMatchObject({
        code: 'invalid-config',
        message: `expected ${path} to have a bundle of the trust domain example.org`,
      });
    },
  );
});
