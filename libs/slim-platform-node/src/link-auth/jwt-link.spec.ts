import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readToken, type JwtAlgorithm, type JwtSignerOptions } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { jwtAuthenticator, type JwtAuthenticatorOptions } from './jwt-authenticator.js';
import { jwtCredentials, staticTokenCredentials, tokenCredentials } from './token-credentials.js';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: ec,
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const secret = 'a secret of the tests of this file';
const clock = new ManualClock();

const claims = { subject: 'billing-1', issuer: 'https://iss.example', audience: ['nodes', 'x'] };
const pem = { type: 'pkcs8', format: 'pem' } as const;
const publicPem = { type: 'spki', format: 'pem' } as const;

const credentials = (changed: Partial<JwtSignerOptions> = {}) =>
  jwtCredentials({ ...claims, signingKey: { secret }, clock, ...changed });

const authenticator = (changed: Partial<JwtAuthenticatorOptions> = {}) =>
  jwtAuthenticator({
    verificationKey: { secret },
    issuer: claims.issuer,
    audience: 'nodes',
    clock,
    ...changed,
  });

/** Whether a client that presents one thing is let in by a node that expects another. */
async function verdict(
  presented: Partial<JwtSignerOptions> | string | undefined,
  expected: Partial<JwtAuthenticatorOptions> = {},
): Promise<unknown> {
  const authorization =
    typeof presented === 'object' ? await credentials(presented).authorization() : presented;
  try {
    await authenticator(expected).authenticate({ authorization, remote: '' });
    return 'let in';
  } catch (reason) {
    return reason;
  }
}

const refused = (why: string) => ({
  code: 'identity-rejected',
  message: expect.stringContaining(why),
});

describe('credentials that are signed', () => {
  it('say what an official client says, anew at every dial', async () => {
    const moving = new ManualClock();
    const moved = credentials({ clock: moving, claims: { team: 'a', sub: 'x' } });
    const seconds = moving.now() / 1000;
    const [scheme, token = ''] = (await moved.authorization()).split(' ');
    expect(scheme).toBe('Bearer');
    expect(readToken(token)).toStrictEqual({
      header: { typ: 'JWT', alg: 'HS256', kid: 'billing-1' },
      claims: {
        iss: 'https://iss.example',
        sub: 'billing-1',
        aud: ['nodes', 'x'],
        exp: seconds + 3600,
        iat: seconds,
        nbf: seconds,
        team: 'a',
      },
    });
    moving.advance(1_000);
    const [, later = ''] = (await moved.authorization()).split(' ');
    expect(readToken(later).claims).toMatchObject({ iat: seconds + 1, exp: seconds + 3601 });
  });

  it('need not say who it is', async () => {
    const anonymous = credentials({ subject: undefined } as object);
    const [, token = ''] = (await anonymous.authorization()).split(' ');
    expect(readToken(token).header).toStrictEqual({ typ: 'JWT', alg: 'HS256' });
    expect(readToken(token).claims).not.toHaveProperty('sub');
  });

  it('are refused when they are configured wrongly', async () => {
    expect(() => credentials({ subject: '' })).toThrow('expected a subject');
    const signingKey = { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' } };
    await expect(credentials({ signingKey }).authorization()).rejects.toMatchObject({
      code: 'invalid-config',
    });
  });
});

// Reference: data plane 6.6.
describe('an authenticator by JWT', () => {
  it.each(['HS256', 'HS384', 'HS512'] as const)('lets in who signed with %s', async (algorithm) => {
    const key = { secret, algorithm };
    expect(await verdict({ signingKey: key }, { verificationKey: key })).toBe('let in');
  });

  it.each([
    ['RS256', pairs.RS256],
    ['RS384', pairs.RS256],
    ['RS512', pairs.RS256],
    ['PS256', pairs.RS256],
    ['PS384', pairs.RS256],
    ['PS512', pairs.RS256],
    ['ES256', pairs.ES256],
    ['ES384', pairs.ES384],
    ['EdDSA', pairs.EdDSA],
  ] as const)('lets in who signed with %s, by PEM, JWK and JWKS', async (name, pair) => {
    const algorithm: JwtAlgorithm = name;
    const signingKey = { pem: pair.privateKey.export(pem).toString(), algorithm };
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), alg: algorithm };
    for (const verificationKey of [
      { pem: pair.publicKey.export(publicPem).toString(), algorithm },
      { jwk },
      { jwks: JSON.stringify({ keys: [jwk] }) },
    ]) {
      expect(await verdict({ signingKey }, { verificationKey })).toBe('let in');
    }
  });

  it.each([
    [
      'that expired 55 s ago',
      { lifetimeMs: 3_600_000, clock: new ManualClock(clock.now() - 3_655_000) },
    ],
    ['that is valid from 300 s on', { clock: new ManualClock(clock.now() + 300_000) }],
    ['of another subject', { subject: 'x' }],
  ])('lets in who has a token %s', async (_what, presented) => {
    expect(await verdict(presented)).toBe('let in');
  });

  it('takes the scheme in any case', async () => {
    const header = await credentials().authorization();
    expect(await verdict(header.replace('Bearer', 'bEARER'))).toBe('let in');
  });

  it('looks at no issuer unless one is configured, and lets in a token for nobody', async () => {
    const expected = { issuer: undefined, audience: undefined } as object;
    expect(await verdict({ audience: undefined } as object, expected)).toBe('let in');
    expect(await verdict({ audience: undefined, issuer: 'x' } as object, expected)).toBe('let in');
  });

  it.each([
    ['that expired 70 s ago', { clock: new ManualClock(clock.now() - 3_670_000) }, 'expired 70 s'],
    ['of another issuer', { issuer: 'https://x.example' }, 'another issuer than https://iss'],
    ['of no issuer', { issuer: undefined }, 'another issuer than https://iss'],
    ['for others', { audience: 'x' }, 'another audience than nodes'],
    ['for nobody', { audience: undefined }, 'another audience than nodes'],
    ['of another key', { signingKey: { secret: `${secret}!` } }, 'signature'],
    [
      'of another algorithm',
      { signingKey: { secret, algorithm: 'HS512' } },
      'not signed with HS256',
    ],
  ])('refuses who has a token %s', async (_what, presented, why) => {
    expect(await verdict(presented as Partial<JwtSignerOptions>)).toMatchObject(refused(why));
  });

  it('refuses a token for somebody when it is nobody in particular', async () => {
    const expected = { audience: undefined } as object;
    expect(await verdict({}, expected)).toMatchObject(refused('none is configured'));
  });

  it('refuses a token that never expires', async () => {
    const { SignJWT } = await import('jose');
    const token = await new SignJWT({ iss: claims.issuer, aud: 'nodes' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(secret));
    expect(await verdict(`Bearer ${token}`)).toMatchObject(refused('has no expiry'));
  });

  it.each([
    [undefined, 'got none'],
    ['Basic YTpi', 'got others'],
    ['Bearer', 'got others'],
    ['Bearer a', 'malformed'],
    ['Bearer a.b.c', 'malformed'],
    ['Bearer e30.e30.', 'is not signed with HS256'],
  ])('refuses %j', async (header, why) => {
    expect(await verdict(header)).toMatchObject(refused(why));
  });

  it('asks what the claims are worth, when there is somebody to ask', async () => {
    const accept = ({ sub }: Readonly<Record<string, unknown>>) => sub === 'billing-1';
    expect(await verdict({}, { accept })).toBe('let in');
    expect(await verdict({ subject: 'x' }, { accept })).toMatchObject(refused('not accepted'));
  });

  it('lets nobody in while the keys cannot be had, which is not the fault of the token', async () => {
    const fetch = () => Promise.reject(new Error('down'));
    const verificationKey = { jwksUrl: 'https://iss.example/keys', fetch };
    expect(await verdict({}, { verificationKey })).toMatchObject({
      code: 'link-failed',
      message: 'https://iss.example/keys: down',
    });
  });

  it('says of a malformed key when it is waited for', async () => {
    const verificationKey = { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } };
    const broken = authenticator({ verificationKey });
    await expect(broken.ready()).rejects.toMatchObject({ code: 'invalid-config' });
    broken.close();
    broken.close();
    await authenticator().ready();
  });

  it.each([
    [{ issuer: '' }, 'expected the issuer'],
    [{ audience: [] }, 'expected the audience'],
    [{ audience: [''] }, 'expected the audience'],
    [{ verificationKey: { secret: 'short' } }, 'at least 32 bytes'],
  ])('cannot be configured with %j', (changed, why) => {
    expect(() => authenticator(changed)).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(why) }),
    );
  });
});

describe('credentials from elsewhere', () => {
  it('are what stands in a file at that moment, trimmed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slim-static-'));
    const path = join(folder, 'token');
    const fromFile = staticTokenCredentials(path);
    await expect(fromFile.authorization()).rejects.toMatchObject({ code: 'invalid-config' });
    await writeFile(path, 'a.b.c\n');
    expect(await fromFile.authorization()).toBe('Bearer a.b.c');
    await writeFile(path, 'd.e.f\r\n');
    expect(await fromFile.authorization()).toBe('Bearer d.e.f');
    fromFile.close?.();
    await rm(folder, { recursive: true });
  });

  it('are the token of a source, which goes with them', async () => {
    const log: string[] = [];
    const passed = tokenCredentials({
      token: () => 'a-token',
      close: () => void log.push('closed'),
    });
    expect(await passed.authorization()).toBe('Bearer a-token');
    passed.close?.();
    expect(log).toStrictEqual(['closed']);
  });

  it.each(['', 'a b', 'a\nb', 'ä'])('are refused when they are %j', async (token) => {
    await expect(tokenCredentials({ token: () => token }).authorization()).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'expected a token without white space and unusual characters',
    });
  });
});
