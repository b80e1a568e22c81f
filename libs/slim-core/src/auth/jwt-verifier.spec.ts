import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CompactSign, SignJWT } from 'jose';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimName } from '../names/slim-name.js';
import { ManualClock } from '../testing/manual-clock.js';
import { toBase64, toBase64Url } from './base64.js';
import type { Identity, IdentityVerifier } from './identity.js';
import type { JwtKey, JwtKeySet } from './jwt-keys.js';
import { jwt, type JwtOptions } from './jwt.js';

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const wideKeys = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });

const publicKey = Uint8Array.of(4, ...new Uint8Array(64).fill(7));
const now = new ManualClock().now() / 1000;
const claims = {
  iss: 'https://iss.example',
  sub: 'agent-1',
  aud: ['aud1'],
  exp: now + 3600,
  iat: now,
  nbf: now,
  pubkey: toBase64(publicKey),
};

async function setup(options: Partial<JwtOptions> = {}) {
  const clock = new ManualClock();
  const source = jwt({
    subject: 'self',
    issuer: 'https://iss.example',
    audience: 'aud1',
    signingKey: { jwk: jwk(keys.privateKey) },
    verificationKey: { jwk: jwk(keys.publicKey) },
    ...options,
  });
  const name = SlimName.parse('org/ns/self');
  const { provider, verifier } = await source({ name, crypto: nodeCrypto, clock });
  provider.close?.();
  return { clock, provider, verifier };
}

interface Token {
  readonly claims?: object;
  readonly header?: { readonly alg?: string; readonly kid?: string; readonly typ?: string };
  readonly by?: KeyObject;
}

/** A token of somebody else, good but for the given parts; undefined leaves a claim out. */
function mint({ claims: changed = {}, header = {}, by = keys.privateKey }: Token = {}) {
  return new SignJWT({ ...claims, ...changed })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: 'agent-1', ...header })
    .sign(by);
}

const base64 = (value: object): string =>
  toBase64Url(new TextEncoder().encode(JSON.stringify(value)));

async function verdict(verifier: IdentityVerifier, token: string): Promise<Identity | Error> {
  try {
    return await verifier.verify(token);
  } catch (reason) {
    if (reason instanceof Error) return reason;
    throw reason;
  }
}

const refused = (why: string) => ({
  code: 'identity-rejected',
  message: expect.stringContaining(why),
});

// Reference: identity 7.2, in its order.
describe('a JWT verifier', () => {
  it('says who signed', async () => {
    const { verifier } = await setup();
    expect(await verifier.verify(await mint({ claims: { role: 'x' } }))).toStrictEqual({
      subject: 'agent-1',
      principal: 'agent-1',
      publicKey,
      issuedAtMs: now * 1000,
      expiresAtMs: (now + 3600) * 1000,
      claims: { ...claims, role: 'x' },
    });
  });

  it.each([
    ['that expired 55 s ago', { claims: { exp: now - 55 } }],
    ['that is not valid before 300 s from now', { claims: { nbf: now + 300 } }],
    ['of 300 s in the future', { claims: { iat: now + 300 } }],
    ['without nbf and iat', { claims: { nbf: undefined, iat: undefined } }],
    ['for several audiences, ours among them', { claims: { aud: ['x', 'aud1'] } }],
    ['without audience', { claims: { aud: undefined } }],
    ['without issuer', { claims: { iss: undefined } }],
    [
      'with the key among the custom claims',
      { claims: { pubkey: undefined, custom_claims: { pubkey: claims.pubkey } } },
    ],
    ['without type', { header: { typ: undefined } }],
    ['without key id', { header: { kid: undefined } }],
  ] as readonly (readonly [string, Token])[])('accepts a token %s', async (_what, token) => {
    const { verifier } = await setup();
    expect(await verdict(verifier, await mint(token))).toMatchObject({ publicKey });
  });

  it.each([
    ['that expired 70 s ago', { claims: { exp: now - 70 } }, 'expired 70 s ago'],
    ['without expiry', { claims: { exp: undefined } }, 'has no expiry'],
    ['whose expiry is a text', { claims: { exp: `${now + 60}` } }, 'has no expiry'],
    ['whose audience is a text', { claims: { aud: 'aud1' } }, 'is no list'],
    ['for another audience', { claims: { aud: ['aud2'] } }, 'another audience than aud1'],
    ['for no audience', { claims: { aud: [] } }, 'another audience than aud1'],
    ['of another issuer', { claims: { iss: 'https://x.example' } }, 'another issuer than'],
    ['of an issuer that is no text', { claims: { iss: 7 } }, 'another issuer than'],
    ['without key', { claims: { pubkey: undefined } }, 'public key not found'],
    ['whose key is no base64', { claims: { pubkey: '*' } }, 'is not base64'],
    ['without subject', { claims: { sub: undefined } }, 'has no subject'],
    ['with an empty subject', { claims: { sub: '' } }, 'has no subject'],
    ['with an id in place of a subject', { claims: { sub: undefined, id: 'x' } }, 'no subject'],
    ['of another key', { by: otherKeys.privateKey }, 'signature of the token'],
    [
      'of another algorithm',
      { by: rsaKeys.privateKey, header: { alg: 'RS256' } },
      'is not signed with ES256',
    ],
  ] as readonly (readonly [string, Token, string])[])(
    'refuses a token %s',
    async (_what, token, why) => {
      const { verifier } = await setup();
      expect(await verdict(verifier, await mint(token))).toMatchObject(refused(why));
    },
  );

  it.each([
    ['without signature', `${base64({ alg: 'none' })}.${base64(claims)}.`, 'not signed with ES256'],
    ['with an empty signature', `${base64({ alg: 'ES256' })}.${base64(claims)}.`, 'does not match'],
    ['without claims', `${base64({ alg: 'ES256' })}..`, 'not a JSON object'],
    ['with a header that is no object', `${base64([])}.${base64(claims)}.AA`, 'malformed'],
    ['of two parts', `${base64({ alg: 'ES256' })}.${base64(claims)}`, 'malformed'],
    ['of another kind', 'org/ns/agent_ABCDEFGH:1:n:c:m', 'malformed'],
    ['that is empty', '', 'malformed'],
  ])('refuses a token %s', async (_what, token, why) => {
    const { verifier } = await setup();
    expect(await verdict(verifier, token)).toMatchObject(refused(why));
  });

  it('refuses a payload that is no JSON object', async () => {
    const { verifier } = await setup();
    for (const payload of ['{', '[]', '7']) {
      const token = await new CompactSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ alg: 'ES256' })
        .sign(keys.privateKey);
      expect(await verdict(verifier, token)).toMatchObject(refused('not a JSON object'));
    }
  });

  it('does not take the public key for a shared secret', async () => {
    const { verifier } = await setup();
    const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(pem));
    expect(await verdict(verifier, token)).toMatchObject(refused('not signed with ES256'));
  });

  it('looks at neither issuer nor audience when none is configured', async () => {
    const { verifier } = await setup({ issuer: undefined, audience: undefined } as object);
    const token = await mint({ claims: { iss: 'x', aud: ['y'] } });
    expect(await verdict(verifier, token)).toMatchObject({ publicKey });
    const text = await mint({ claims: { aud: 'aud1' } });
    expect(await verdict(verifier, text)).toMatchObject(refused('is no list'));
  });

  it('takes any one of several audiences', async () => {
    const { verifier } = await setup({ audience: ['aud2', 'aud1'] });
    expect(await verdict(verifier, await mint())).toMatchObject({ publicKey });
  });

  it('shows nothing of the token in its errors', async () => {
    const { verifier } = await setup();
    const token = await mint({ by: otherKeys.privateKey });
    const reasons = [token, token.slice(0, -90), `${token}.x`].map((text) =>
      verdict(verifier, text),
    );
    for (const reason of await Promise.all(reasons)) {
      expect(reason).toMatchObject({
        code: 'identity-rejected',
        message: expect.not.stringContaining('eyJ'),
      });
      expect(reason).not.toHaveProperty('cause');
    }
  });
});

describe('the tokens it has verified', () => {
  it('are known at once until they expire', async () => {
    const { clock, verifier } = await setup();
    const token = await mint();
    const first = verifier.verify(token);
    expect(first).toBeInstanceOf(Promise);
    const identity = await first;
    expect(verifier.verify(token)).toBe(identity);
    clock.advance(3_660_000);
    expect(verifier.verify(token)).toBe(identity);
    clock.advance(1);
    expect(() => verifier.verify(token)).toThrow('the identity token expired 60 s ago');
  });

  it('stay good as credentials, however old', async () => {
    const { clock, verifier } = await setup();
    const old = await mint({ claims: { exp: now - 7200 } });
    const identity = await verifier.verifyCredential(old);
    expect(identity).toMatchObject({ subject: 'agent-1', publicKey });
    clock.advance(100_000_000);
    expect(verifier.verifyCredential(old)).toBe(identity);
    const wrong = await mint({ by: otherKeys.privateKey });
    await expect(verifier.verifyCredential(wrong)).rejects.toMatchObject(refused('signature'));
  });

  it('are forgotten oldest first, so that their number is bounded', async () => {
    const secret = 'a secret of the tests of this file';
    const key = { secret };
    const { verifier } = await setup({ signingKey: key, verificationKey: key });
    const bytes = new TextEncoder().encode(secret);
    const tokens: string[] = [];
    for (let index = 0; index < 1025; index += 1) {
      const made = new SignJWT({ ...claims, index }).setProtectedHeader({ alg: 'HS256' });
      tokens.push(await made.sign(bytes));
    }
    for (const token of tokens) await verifier.verify(token);
    expect(verifier.verify(tokens[0] ?? '')).toBeInstanceOf(Promise);
    expect(verifier.verify(tokens[1024] ?? '')).not.toBeInstanceOf(Promise);
  });
});

// Reference: identity 7.3.
describe('a key set', () => {
  const set = (...members: object[]): JwtKeySet => ({ jwks: { keys: members } });
  const own = { ...jwk(keys.publicKey), alg: 'ES256', kid: 'own' };
  const other = { ...jwk(otherKeys.publicKey), alg: 'ES256', kid: 'other' };
  const wide = { ...jwk(wideKeys.publicKey), alg: 'ES384', kid: 'wide' };
  const rsa = { ...jwk(rsaKeys.publicKey), alg: 'RS256', kid: 'rsa' };
  const all = set(wide, other, rsa, own);

  async function judge(verificationKey: JwtKey | JwtKeySet, token: Token) {
    const { verifier } = await setup({ verificationKey });
    return verdict(verifier, await mint(token));
  }

  it.each([
    ['the key that a token names', { header: { kid: 'other' }, by: otherKeys.privateKey }],
    ['every key of the algorithm', { header: { kid: 'agent-1' }, by: otherKeys.privateKey }],
    ['them too for a token without key id', { header: { kid: undefined } }],
    ['keys of all algorithms', { header: { alg: 'ES384' }, by: wideKeys.privateKey }],
    ['keys of RSA', { header: { alg: 'RS256', kid: 'rsa' }, by: rsaKeys.privateKey }],
  ] as readonly (readonly [string, Token])[])('has %s tried', async (_what, token) => {
    expect(await judge(all, token)).toMatchObject({ publicKey });
  });

  it.each([
    ['of a key that is not the one it names', { header: { kid: 'other' } }, 'does not match'],
    [
      'of another algorithm than the key it names',
      { header: { kid: 'wide' } },
      'not signed with ES384',
    ],
    [
      'of an algorithm that no key has',
      { header: { alg: 'PS256' }, by: rsaKeys.privateKey },
      'not signed with ES384, ES256, RS256',
    ],
  ] as readonly (readonly [string, Token, string])[])(
    'refuses a token %s',
    async (_what, token, why) => {
      expect(await judge(all, token)).toMatchObject(refused(why));
    },
  );

  it('may be the text of a file', async () => {
    const jwks = JSON.stringify({ keys: [own, other] });
    expect(await judge({ jwks }, { by: otherKeys.privateKey })).toMatchObject({ publicKey });
  });

  it('may hold keys of no use here', async () => {
    const odd = set(
      { ...other, use: 'enc' },
      { kty: 'EC', crv: 'secp256k1', alg: 'ES256K' },
      { kty: 'new', alg: 'X' },
      own,
    );
    expect(await judge(odd, {})).toMatchObject({ publicKey });
    expect(await judge(odd, { by: otherKeys.privateKey })).toMatchObject(refused('signature'));
  });

  it('gives a key that names no algorithm that of its curve, else the one configured', async () => {
    const bare = set({ ...jwk(keys.publicKey), alg: undefined }, { ...rsa, alg: undefined });
    const token: Token = { header: { alg: 'PS256' }, by: rsaKeys.privateKey };
    expect(await judge(bare, {})).toMatchObject({ publicKey });
    expect(await judge(bare, token)).toMatchObject(refused('not signed with ES256'));
    expect(await judge({ ...bare, algorithm: 'PS256' }, token)).toMatchObject({ publicKey });
  });
});
