import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimName } from '../names/slim-name.js';
import { ManualClock } from '../testing/manual-clock.js';
import { toBase64 } from './base64.js';
import type { IdentityPair } from './identity.js';
import type { JwtAlgorithm, JwtKey } from './jwt-keys.js';
import { jwt, type JwtOptions } from './jwt.js';

const secret = 'a secret of the tests of this file, which is long';
const ecKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyPairs = {
  RS256: rsaKeys,
  RS384: rsaKeys,
  RS512: rsaKeys,
  PS256: rsaKeys,
  PS384: rsaKeys,
  PS512: rsaKeys,
  ES256: ecKeys,
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;
type Pair = (typeof keyPairs)[keyof typeof keyPairs];

const privatePem = ({ privateKey }: Pair): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = ({ publicKey }: Pair): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();

const valid: JwtOptions = {
  subject: 'billing-1',
  issuer: 'https://issuer.example',
  audience: ['billing', 'audit'],
  signingKey: { pem: privatePem(ecKeys), algorithm: 'ES256' },
  verificationKey: { pem: publicPem(ecKeys), algorithm: 'ES256' },
};

async function setup(options: Partial<JwtOptions> = {}) {
  const clock = new ManualClock();
  const name = SlimName.parse('org/ns/agent');
  const pair: IdentityPair = await jwt({ ...valid, ...options })({
    name,
    crypto: nodeCrypto,
    clock,
  });
  return { clock, ...pair };
}

/** What is refused at once or, for what shows only when a key is imported, on connecting. */
async function refusal(options: object): Promise<unknown> {
  try {
    const { provider } = await setup(options);
    provider.close?.();
    return 'nothing was refused';
  } catch (reason) {
    return reason;
  }
}

/** The algorithm of a token that its own verifier and that of another application took. */
async function algorithmTaken(signingKey: JwtKey, verificationKey: JwtKey): Promise<unknown> {
  const { provider, verifier } = await setup({ signingKey, verificationKey });
  const token = provider.token();
  const other = await setup({ signingKey, verificationKey, subject: 'other' });
  for (const judge of [verifier, other.verifier]) {
    const { subject, publicKey } = await judge.verify(token);
    expect({ subject, publicKey }).toStrictEqual({
      subject: 'billing-1',
      publicKey: provider.keys.publicKey,
    });
  }
  return decodeProtectedHeader(token).alg;
}

describe('jwt', () => {
  it.each(Object.keys(keyPairs) as (keyof typeof keyPairs)[])(
    'signs and verifies with %s, by PEM, by JWK and by the text of a JWK',
    async (algorithm) => {
      const pair = keyPairs[algorithm];
      const [signing, verifying] = [
        pair.privateKey.export({ format: 'jwk' }),
        pair.publicKey.export({ format: 'jwk' }),
      ];
      const pems = [
        { pem: privatePem(pair), algorithm },
        { pem: publicPem(pair), algorithm },
      ] as const;
      const text = JSON.stringify({ ...verifying, alg: algorithm });
      expect(await algorithmTaken(...pems)).toBe(algorithm);
      expect(await algorithmTaken({ jwk: signing, algorithm }, { jwk: text })).toBe(algorithm);
    },
  );

  it.each<JwtAlgorithm>(['HS256', 'HS384', 'HS512'])(
    'signs and verifies with %s, by text, by bytes and by JWK',
    async (algorithm) => {
      const bytes = new TextEncoder().encode(secret);
      const jwk = { kty: 'oct', alg: algorithm, k: Buffer.from(bytes).toString('base64url') };
      const key = { secret: bytes, algorithm };
      expect(await algorithmTaken({ secret, algorithm }, key)).toBe(algorithm);
      expect(await algorithmTaken(key, { jwk })).toBe(algorithm);
    },
  );

  it('takes HS256 for a secret and the algorithm of the curve for a JWK unless told', async () => {
    expect(await algorithmTaken({ secret }, { secret })).toBe('HS256');
    for (const algorithm of ['ES256', 'ES384', 'EdDSA'] as const) {
      const { privateKey, publicKey } = keyPairs[algorithm];
      const [signing, jwk] = [
        privateKey.export({ format: 'jwk' }),
        publicKey.export({ format: 'jwk' }),
      ];
      expect(await algorithmTaken({ jwk: signing }, { jwk })).toBe(algorithm);
    }
  });

  it.each([
    ['a subject', { subject: '' }],
    ['the issuer', { issuer: '' }],
    ['the audience', { audience: [] }],
    ['the audience', { audience: ['a', ''] }],
    ['at least 1000 ms, got 999', { lifetimeMs: 999 }],
    ['got NaN', { lifetimeMs: Number.NaN }],
    ['a signing key as { pem }, { jwk } or { secret }', { signingKey: undefined }],
    ['a signing key as { pem }, { jwk } or { secret }', { signingKey: 'text' }],
    ['a verification key as { pem }, { jwk } or { secret }', { verificationKey: {} }],
    ['ES256, ES384, EdDSA, got undefined', { signingKey: { pem: privatePem(ecKeys) } }],
    ['got none', { signingKey: { pem: privatePem(ecKeys), algorithm: 'none' } }],
    ['a secret for HS256', { signingKey: { pem: privatePem(ecKeys), algorithm: 'HS256' } }],
    ['got PUBLIC KEY', { signingKey: { pem: publicPem(ecKeys), algorithm: 'ES256' } }],
    ['a PRIVATE KEY, got no PEM', { signingKey: { pem: secret, algorithm: 'ES256' } }],
    ['got PRIVATE KEY', { verificationKey: { pem: privatePem(ecKeys), algorithm: 'ES256' } }],
    ['key for RS256', { signingKey: { pem: privatePem(ecKeys), algorithm: 'RS256' } }],
    ['key for ES256', { signingKey: { pem: privatePem(rsaKeys), algorithm: 'ES256' } }],
    ['at least 32 bytes, got 31', { signingKey: { secret: 'x'.repeat(31) } }],
    ['for a secret, got ES256', { signingKey: { secret, algorithm: 'ES256' } }],
    ['at least 32 bytes', { signingKey: { jwk: { kty: 'oct', alg: 'HS256', k: 'AAAA' } } }],
    ['a private JWK', { signingKey: { jwk: ecKeys.publicKey.export({ format: 'jwk' }) } }],
    ['a public JWK', { verificationKey: { jwk: ecKeys.privateKey.export({ format: 'jwk' }) } }],
    ['got undefined', { verificationKey: { jwk: rsaKeys.publicKey.export({ format: 'jwk' }) } }],
    ['got one of type oct', { verificationKey: { jwk: { kty: 'oct', alg: 'ES256', k: 'AAAA' } } }],
    ['key for ES256', { verificationKey: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA' } } }],
    ['the JWK of the verification key', { verificationKey: { jwk: secret } }],
    ['the JWKS to be an object or its JSON text', { verificationKey: { jwks: secret } }],
    ['an array of keys', { verificationKey: { jwks: {} } }],
    ['a key for one of', { verificationKey: { jwks: { keys: [{ kty: 'EC', crv: 'P-521' }] } } }],
    ['verifies what the signingKey signs', { verificationKey: { secret } }],
    ['does not carry the key of the application', { signingKey: undefined, token: 'a.b.c' }],
    ['can authenticate the link', { signingKey: undefined, tokenFile: '/run/token' }],
  ])('says what is wrong in case %#: %s', async (message, options) => {
    const reason = await refusal(options);
    expect(reason).toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(message),
    });
  });

  it('does not blame its options for keys that cannot be had', async () => {
    const fetch = () => Promise.resolve(new Response('{"keys":[]}'));
    const verificationKey = { jwksUrl: 'https://keys.example/jwks', fetch };
    expect(await refusal({ verificationKey })).toMatchObject({
      code: 'link-failed',
      message: expect.stringContaining('https://keys.example/jwks: expected the JWKS'),
    });
  });

  it('refuses an RSA key that is too short', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const verificationKey = { pem: publicPem(short), algorithm: 'RS256' };
    expect(await refusal({ verificationKey })).toMatchObject({
      code: 'invalid-config',
      message: 'expected an RSA key of at least 2048 bits, got 1024',
    });
  });

  it('shows nothing of a key in its errors', async () => {
    const broken = privatePem(ecKeys).replace('MIG', 'MIGZZZZ');
    for (const signingKey of [
      { pem: broken, algorithm: 'ES256' },
      { jwk: `{"kty":"EC","d":"${secret}` },
      { jwk: { kty: 'EC', crv: 'P-256', d: secret } },
      { secret: 'too short a secret' },
    ]) {
      const reason = await refusal({ signingKey });
      expect(reason).toMatchObject({ code: 'invalid-config' });
      const shown = String(reason) + String((reason as Error).cause);
      expect(shown).not.toMatch(/secret of the tests|too short a|MIG/);
    }
  });
});

describe('its provider', () => {
  it('writes the header and the claims of an official application', async () => {
    const { clock, provider } = await setup();
    const seconds = clock.now() / 1000;
    expect(provider.tokenId).toBe('billing-1');
    expect(decodeProtectedHeader(provider.token())).toStrictEqual({
      typ: 'JWT',
      alg: 'ES256',
      kid: 'billing-1',
    });
    expect(decodeJwt(provider.token())).toStrictEqual({
      iss: 'https://issuer.example',
      sub: 'billing-1',
      aud: ['billing', 'audit'],
      exp: seconds + 3600,
      iat: seconds,
      nbf: seconds,
      pubkey: toBase64(provider.keys.publicKey),
    });
  });

  it('writes a single audience as a list', async () => {
    const { provider } = await setup({ audience: 'billing' });
    expect(decodeJwt(provider.token()).aud).toStrictEqual(['billing']);
  });

  it('leaves out what was not given', async () => {
    const { signingKey, verificationKey } = valid;
    const source = jwt({ subject: 'x', signingKey, verificationKey, lifetimeMs: 20_000 });
    const clock = new ManualClock();
    const { provider } = await source({
      name: SlimName.parse('a/b/c'),
      crypto: nodeCrypto,
      clock,
    });
    const claims = decodeJwt(provider.token());
    expect(Object.keys(claims).toSorted()).toStrictEqual(['exp', 'iat', 'nbf', 'pubkey', 'sub']);
    expect(claims.exp).toBe(clock.now() / 1000 + 20);
  });

  it.each([
    { lifetimeMs: 3_600_000, renewedAfterMs: 60_000 },
    { lifetimeMs: 20_000, renewedAfterMs: 10_000 },
  ])('signs again in time: %o', async ({ lifetimeMs, renewedAfterMs }) => {
    const { clock, provider, verifier } = await setup({ lifetimeMs });
    for (let round = 0; round < 3; round += 1) {
      const before = provider.token();
      clock.advance(renewedAfterMs - 1);
      await settled();
      expect(provider.token()).toBe(before);
      clock.advance(1);
      await changed(() => provider.token());
      await settled();
      expect(decodeJwt(provider.token()).iat).toBe(clock.now() / 1000);
      expect(await verifier.verify(provider.token())).toMatchObject({ subject: 'billing-1' });
    }
    provider.close?.();
  });

  it('has one timer, which ends with it', async () => {
    const { clock, provider } = await setup();
    expect(clock.pending).toBe(1);
    clock.advance(60_000);
    await changed(() => provider.token());
    await settled();
    expect(clock.pending).toBe(1);
    provider.close?.();
    provider.close?.();
    expect(clock.pending).toBe(0);
  });

  it('starts no other timer when it is closed while it signs', async () => {
    const { clock, provider } = await setup();
    clock.advance(60_000);
    provider.close?.();
    await changed(() => provider.token());
    await settled();
    expect(clock.pending).toBe(0);
  });

  it('starts no timer when the keys do not fit', async () => {
    const clock = new ManualClock();
    const source = jwt({ ...valid, verificationKey: { secret } });
    const context = { name: SlimName.parse('a/b/c'), crypto: nodeCrypto, clock };
    await expect(source(context)).rejects.toMatchObject({ code: 'invalid-config' });
    expect(clock.pending).toBe(0);
  });
});

/** Lets everything that was started end, a signature included. */
async function settled(): Promise<void> {
  await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  await new Promise((resolve) => setImmediate(resolve));
}

async function changed(read: () => string): Promise<void> {
  const before = read();
  while (read() === before) await settled();
}
