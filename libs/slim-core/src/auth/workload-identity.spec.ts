import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { SlimName } from '../names/slim-name.js';
import { ManualClock } from '../testing/manual-clock.js';
import { toBase64 } from './base64.js';
import type { TokenSource } from './token-source.js';
import { workloadAudience, workloadIdentity } from './workload-identity.js';
import type { WorkloadIdentityOptions } from './workload-identity.js';

const spire = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const federated = generateKeyPairSync('rsa', { modulusLength: 2048 });
const bundle = { keys: [{ ...spire.publicKey.export({ format: 'jwk' }), kid: 'a' }] };
const trust: WorkloadIdentityOptions['trust'] = {
  'example.org': { jwks: bundle },
  'other.example': { jwks: { keys: [federated.publicKey.export({ format: 'jwk' })] } },
};

const keyPair = nodeCrypto.signingKeyPair();
const audience = await workloadAudience(keyPair);
const otherAudience = await workloadAudience(nodeCrypto.signingKeyPair());
const id = 'spiffe://example.org/billing';
const now = new ManualClock().now() / 1000;

const svid = (changed: object = {}) =>
  new SignJWT({ sub: id, aud: ['slim', audience], exp: now + 300, iat: now, ...changed })
    .setProtectedHeader({ alg: 'ES256', kid: 'a' })
    .sign(spire.privateKey);

/** A source whose token can be changed. */
class Rotated implements TokenSource {
  current: string | SlimError;
  readonly listeners = new Set<() => void>();

  constructor(first: string) {
    this.current = first;
  }

  token(): string {
    if (typeof this.current === 'string') return this.current;
    throw this.current;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  rotate(next: string | SlimError): void {
    this.current = next;
    for (const listener of this.listeners) listener();
  }
}

async function setup(options: Partial<WorkloadIdentityOptions> = {}) {
  const clock = new ManualClock();
  const source = new Rotated(await svid());
  const errors: SlimError[] = [];
  const identity = workloadIdentity({
    source,
    keyPair,
    trust,
    onError: (reason) => errors.push(reason),
    ...options,
  });
  const connecting = identity({ name: SlimName.parse('org/ns/a'), crypto: nodeCrypto, clock });
  return { clock, source, errors, ...(await connecting) };
}

/** Lets the platform verify signatures, of whose end nobody is told. */
const tick = () => new Promise((resolve) => setImmediate(resolve));

async function verdict(token: string): Promise<unknown> {
  const { provider, verifier } = await setup();
  provider.close?.();
  try {
    return await verifier.verify(token);
  } catch (reason) {
    return reason;
  }
}

const refused = (why: string) => ({
  code: 'identity-rejected',
  message: expect.stringContaining(why),
});

// Reference: identity 9.
describe('the audience of a key pair', () => {
  it('has its public key in base64 twice', async () => {
    const [prefix = '', claims = ''] = audience.split(':');
    expect(prefix).toBe('slim-claims');
    expect(Buffer.from(claims, 'base64').toString()).toBe(
      `{"pubkey":"${toBase64(keyPair.publicKey)}"}`,
    );
  });

  it('is the same for the pair in a PEM', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
    expect(await workloadAudience({ pem })).toBe(
      await workloadAudience({ publicKey: point, privateKey: Uint8Array.of() }),
    );
  });

  it.each([
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['another kind', generateKeyPairSync('ed25519')],
  ])('is refused for a pair of %s', async (_what, { privateKey }) => {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(workloadAudience({ pem })).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'expected the key pair as a PEM with a P-256 PRIVATE KEY (PKCS#8)',
    });
  });
});

describe('a verifier of workloads', () => {
  it('says who signed, with the claims among the audiences', async () => {
    expect(await verdict(await svid({ x: 1 }))).toStrictEqual({
      subject: id,
      principal: id,
      publicKey: keyPair.publicKey,
      issuedAtMs: now * 1000,
      expiresAtMs: (now + 300) * 1000,
      claims: {
        ...{ sub: id, aud: ['slim'], exp: now + 300, iat: now, x: 1 },
        custom_claims: { pubkey: toBase64(keyPair.publicKey) },
      },
    });
  });

  it('takes what cannot be read for an audience, and the last claim of a name', async () => {
    const odd = ['slim-claims:*', 'slim-claims:MQ==', 'slim-claims:e30'];
    const first = 'slim-claims:' + Buffer.from('{"pubkey":"AA==","a":1}').toString('base64');
    expect(await verdict(await svid({ aud: [...odd, first, audience, 'slim'] }))).toMatchObject({
      publicKey: keyPair.publicKey,
      claims: { aud: [...odd, 'slim'], custom_claims: { a: 1 } },
    });
  });

  it('takes no key from the prototype of claims', async () => {
    const claims = `{"__proto__":{"pubkey":"${toBase64(keyPair.publicKey)}"}}`;
    const aud = ['slim', `slim-claims:${Buffer.from(claims).toString('base64')}`];
    expect(await verdict(await svid({ aud }))).toMatchObject(refused('public key not found'));
  });

  it.each([
    ['that expired 70 s ago', { exp: now - 70 }, 'expired 70 s ago'],
    ['without expiry', { exp: undefined }, 'has no expiry'],
    ['without audience', { aud: undefined }, 'another audience than slim'],
    ['for another audience', { aud: ['x', audience] }, 'another audience than slim'],
    ['without key', { aud: ['slim'] }, 'public key not found'],
    ['whose key is an own claim', { aud: 'slim', pubkey: 'AA==' }, 'public key not found'],
    ['of another trust domain', { sub: 'spiffe://other.example/x' }, 'not signed with RS256'],
    ['of an unknown trust domain', { sub: 'spiffe://x.example/x' }, 'another issuer than'],
    ['of no workload', { sub: 'spiffe://example.org' }, 'another issuer than'],
    ['without subject', { sub: undefined }, 'another issuer than'],
  ])('refuses a token %s', async (_what, changed, why) => {
    expect(await verdict(await svid(changed))).toMatchObject(refused(why));
  });

  it('takes the keys of a trust domain for its own workloads only', async () => {
    const sign = (sub: string) =>
      new SignJWT({ sub, aud: ['slim', audience], exp: now + 300 })
        .setProtectedHeader({ alg: 'RS256' })
        .sign(federated.privateKey);
    expect(await verdict(await sign('spiffe://other.example/x'))).toMatchObject({
      subject: 'spiffe://other.example/x',
    });
    expect(await verdict(await sign(id))).toMatchObject(refused('is not signed with ES256'));
  });
});

describe('a provider of tokens from elsewhere', () => {
  it('is who the token says it is, with the key pair it was given', async () => {
    const { provider, source } = await setup();
    expect(provider.tokenId).toBe(id);
    expect(provider.keys).toBe(keyPair);
    expect(provider.token()).toBe(source.current);
  });

  it('uses a newer token as soon as it is there', async () => {
    const { provider, source, errors } = await setup();
    const next = await svid({ exp: now + 600 });
    source.rotate(next);
    while (provider.token() !== next) await tick();
    expect(errors).toStrictEqual([]);
  });

  it('asks a source that tells of no changes each minute, or when a third of what is left is over', async () => {
    let asked = 0;
    const [token, next] = [await svid({ exp: now + 120 }), await svid({ exp: now + 3600 })];
    const plain: TokenSource = {
      token: () => {
        asked += 1;
        return asked === 1 ? token : next;
      },
    };
    const { clock, provider } = await setup({ source: plain });
    clock.advance(39_999);
    expect(asked).toBe(1);
    clock.advance(1);
    while (clock.pending === 0) await tick();
    expect(provider.token()).toBe(next);
    clock.advance(59_999);
    expect(asked).toBe(2);
    clock.advance(1);
    await tick();
    expect(asked).toBe(3);
  });

  it.each([
    ['of another workload', { sub: 'spiffe://example.org/audit' }, 'expected a token of spiffe'],
    ['without its key', { aud: ['slim'] }, 'public key not found'],
    [
      'with another key',
      { aud: ['slim', otherAudience] },
      'another public key than the one of the key pair',
    ],
    ['that expired', { exp: now - 70 }, 'expired 70 s ago'],
  ])('does not use a token %s, and says so', async (_what, changed, why) => {
    const { provider, source, errors } = await setup();
    const first = provider.token();
    source.rotate(await svid(changed));
    while (errors.length === 0) await tick();
    expect(errors[0]?.message).toContain(why);
    expect(provider.token()).toBe(first);
  });

  it('stays with its token while there is none, and says so', async () => {
    const { clock, provider, source, errors } = await setup();
    const first = provider.token();
    source.rotate(new SlimError('invalid-config', 'no file'));
    while (errors.length < 1 || clock.pending === 0) await tick();
    expect(provider.token()).toBe(first);
    const next = await svid({ exp: now + 900 });
    source.current = next;
    clock.advance(60_000);
    while (provider.token() !== next) await tick();
    expect(errors.map(({ message }) => message)).toStrictEqual(['no file']);
  });

  it('leaves nothing behind when it is closed, even while a token is on its way', async () => {
    const { clock, provider, source, errors } = await setup();
    source.rotate(await svid({ exp: now - 70 }));
    provider.close?.();
    provider.close?.();
    await tick();
    expect(source.listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
    expect(errors).toStrictEqual([]);
  });

  it.each([
    ['there is no token', () => new SlimError('invalid-config', 'no file'), 'no file'],
    ['the token has another key', () => svid({ aud: ['slim'] }), 'public key not found'],
  ])('does not start when %s', async (_what, first, why) => {
    const source = new Rotated('');
    source.current = await first();
    await expect(setup({ source })).rejects.toThrow(why);
    expect(source.listeners.size).toBe(0);
  });
});

describe('workloadIdentity', () => {
  it.each([
    [{ source: undefined }, 'expected a source of tokens'],
    [{ trust: {} }, 'expected trust to have the keys of a trust domain'],
    [{ trust: { 'spiffe://a': trust } }, 'got "spiffe://a"'],
    [{ trust: { 'example.org': { jwks: '{' } } }, 'expected the JWKS'],
    [{ audience: [] }, 'expected the audience'],
    [{ audience: '' }, 'expected the audience'],
  ])('refuses %j', (changed, why) => {
    const options = { source: new Rotated(''), keyPair, trust, ...changed };
    expect(() => workloadIdentity(options as WorkloadIdentityOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(why) }),
    );
  });
});
