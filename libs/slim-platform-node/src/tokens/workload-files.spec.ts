import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SlimName, workloadAudience, workloadIdentity, type SlimError } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { SignJWT } from 'jose';
import { nodeCrypto } from '../node-crypto.js';
import { fileTokenSource } from './file-token-source.js';
import { spiffeBundleFile } from './spiffe-bundle.js';

const workload = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyPair = { pem: workload.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
const audience = await workloadAudience(keyPair);
const spire = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slim-workload-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bundleOf = (...keys: KeyObject[]): string => {
  const set = JSON.stringify({ keys: keys.map((key) => key.export({ format: 'jwk' })) });
  return JSON.stringify({ 'example.org': Buffer.from(set).toString('base64') });
};

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('a workload whose files spiffe-helper writes', () => {
  it('follows tokens and keys that SPIRE replaces, until it is closed', async () => {
    const [svid, bundle] = [join(folder, 'svid.token'), join(folder, 'bundle.json')];
    const clock = new ManualClock();
    const mint = (key: KeyObject) =>
      new SignJWT({
        sub: 'spiffe://example.org/a',
        aud: ['slim', audience],
        exp: clock.now() / 1000 + 3600,
      })
        .setProtectedHeader({ alg: 'ES256' })
        .sign(key);
    const [first, second] = spire;
    if (!first || !second) throw new Error('expected two key pairs');
    await writeFile(svid, await mint(first.privateKey));
    await writeFile(bundle, bundleOf(first.publicKey));
    const errors: SlimError[] = [];
    const identity = workloadIdentity({
      source: fileTokenSource(svid, { clock }),
      keyPair,
      trust: { 'example.org': { jwksFrom: spiffeBundleFile(bundle, 'example.org', { clock }) } },
      onError: (reason) => errors.push(reason),
    });
    const name = SlimName.parse('org/ns/a');
    const { provider, verifier } = await identity({ name, crypto: nodeCrypto, clock });
    const before = provider.token();

    // In place, as spiffe-helper does it: the new keys first, then a token that only they verify.
    await writeFile(bundle, bundleOf(first.publicKey, second.publicKey));
    await writeFile(svid, await mint(second.privateKey));
    while (provider.token() === before) {
      // Both files were looked at, and the provider waits: nobody is outrun.
      if (clock.pending === 3) clock.advance(5_000);
      await tick();
    }
    expect(await verifier.verify(provider.token())).toMatchObject({
      subject: 'spiffe://example.org/a',
      publicKey: provider.keys.publicKey,
    });
    // The token may be looked at before the keys are; it is looked at again then.
    expect(errors.every(({ code }) => code === 'identity-rejected')).toBe(true);
    provider.close?.();
    await tick();
    expect(clock.pending).toBe(0);
  });
});
