import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  jwt,
  loadNameHash,
  sharedSecret,
  SlimError,
  SlimName,
  workloadAudience,
  workloadIdentity,
  type Identity,
  type IdentityVerifier,
} from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { ManualClock } from '../../libs/slim-core/src/testing/manual-clock.js';
import { runs, within } from './fuzz.js';
import { expectNothingUnhandled } from './unhandled.js';

const clock = new ManualClock();
const context = { name: SlimName.parse('org/ns/app'), crypto: nodeCrypto, clock };
const secret = 'a secret that stands in no error of these tests';
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = keys.publicKey.export({ format: 'jwk' });
const now = clock.now() / 1_000;

/** Verifiers with a token that they take. */
interface Case {
  readonly verifier: IdentityVerifier;
  readonly good: string;
}

const cases: Record<string, () => Promise<Case>> = {
  'shared secrets': () => {
    const { provider, verifier } = sharedSecret({ secret })(context);
    return Promise.resolve({ verifier, good: provider.token() });
  },
  'JSON Web Tokens': async () => {
    const key = { jwk: keys.privateKey.export({ format: 'jwk' }) };
    const verificationKey = { jwk };
    const options = { subject: 'app', issuer: 'issuer', audience: 'slim' };
    const source = jwt({ ...options, signingKey: key, verificationKey });
    const { provider, verifier } = await source(context);
    const good = provider.token();
    provider.close?.();
    return { verifier, good };
  },
  'JWT-SVIDs': async () => {
    const keyPair = nodeCrypto.signingKeyPair();
    const id = 'spiffe://example.org/app';
    const aud = ['slim', await workloadAudience(keyPair)];
    const svid = await new SignJWT({ sub: id, aud, exp: now + 300, iat: now })
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .sign(keys.privateKey);
    const { provider, verifier } = await workloadIdentity({
      source: { token: () => svid },
      keyPair,
      trust: { 'example.org': { jwks: { keys: [{ ...jwk, kid: 'a' }] } } },
    })(context);
    provider.close?.();
    return { verifier, good: svid };
  },
};

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom('', ':', '::::', '.', '..', '....', '\0', '\ud800', 'é', 'null', '{}'),
);
const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const claim = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(-1, 1e308, 2 ** 53, '__proto__', now, now + 300, [], {}),
);
const claims = fc.dictionary(
  fc.constantFrom('sub', 'aud', 'exp', 'iat', 'nbf', 'iss', 'pubkey', '__proto__', 'custom_claims'),
  claim,
);
const header = fc.record({
  alg: fc.constantFrom('ES256', 'none', 'HS256', 'RS256', 'ES384', '', 7, null),
  kid: fc.constantFrom('a', 'app', '', '../../etc', 7, null),
  crit: fc.constantFrom(undefined, ['exp'], [], ['b64']),
  typ: fc.constantFrom('JWT', 'at+jwt', '', 3),
});
/** Fields of the two forms of tokens, as somebody without keys can fill them in. */
const forged = fc.oneof(
  fc
    .tuple(
      anyText,
      fc.oneof(fc.nat().map(String), anyText),
      anyText,
      fc.oneof(claims, anyText),
      anyText,
    )
    .map(([id, time, nonce, body, mac]) => [id, time, nonce, base64(body), base64(mac)].join(':')),
  fc
    .tuple(fc.oneof(header, anyText), fc.oneof(claims, anyText), anyText)
    .map(([head, body, signature]) => [base64(head), base64(body), base64(signature)].join('.')),
  anyText,
);
const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 9 }), insert: anyText });

async function verdict(verifier: IdentityVerifier, token: string): Promise<Identity | undefined> {
  try {
    await verifier.verifyCredential(token);
    return await verifier.verify(token);
  } catch (reason) {
    expect(reason).toBeInstanceOf(SlimError);
    expect(reason).toMatchObject({ code: 'identity-rejected' });
    const { message } = reason as SlimError;
    expect(message).not.toContain(secret);
    if (token.length > 40) expect(message).not.toContain(token);
    return undefined;
  }
}

describe('whatever somebody without keys writes', () => {
  beforeAll(loadNameHash);
  expectNothingUnhandled();

  it.each(Object.keys(cases))(
    'the verifier of %s refuses it, and with one reason',
    async (name) => {
      const { verifier, good } = (await cases[name]?.()) ?? { verifier: undefined, good: '' };
      if (!verifier) throw new Error(name);
      await fc.assert(
        fc.asyncProperty(forged, async (token) => {
          expect(await verdict(verifier, token)).toBeUndefined();
        }),
        runs(400),
      );
      const { subject } = await verifier.verify(good);
      expect(subject).not.toBe('');
    },
    within(10),
  );

  it.each(Object.keys(cases))(
    'the verifier of %s takes no good token that was edited',
    async (name) => {
      const { verifier, good } = (await cases[name]?.()) ?? { verifier: undefined, good: '' };
      if (!verifier) throw new Error(name);
      const { subject } = await verifier.verify(good);
      await fc.assert(
        fc.asyncProperty(edit, async ({ at, remove, insert }) => {
          const start = at % (good.length + 1);
          const token = good.slice(0, start) + insert + good.slice(start + remove);
          const identity = await verdict(verifier, token);
          // The last character of base64 has bits that say nothing; whatever is taken is the same identity.
          if (token !== good && identity) expect(identity.subject).toBe(subject);
          if (token !== good && identity) expect(token.slice(0, -2)).toBe(good.slice(0, -2));
        }),
        runs(400),
      );
      expect(await verdict(verifier, good)).toMatchObject({ subject });
    },
    within(10),
  );
});
