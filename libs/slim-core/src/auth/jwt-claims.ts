import { publicKeyOf, rejected } from './claims.js';
import type { Identity } from './identity.js';
import type { TokenClaims } from './signed-tokens.js';

/** What tokens have to say where they say it; undefined is not looked at. */
export interface ExpectedClaims {
  readonly issuer: string | undefined;
  readonly audience: readonly string[] | undefined;
}

/**
 * The identity in the claims of a token whose signature was found good. Refuses what official
 * applications refuse, but for its age (reference: identity 7.2).
 * @throws SlimError `identity-rejected`
 */
export function toJwtIdentity(claims: TokenClaims, expected: ExpectedClaims): Identity {
  const { sub, iss, aud, exp, iat } = claims;
  if (typeof sub !== 'string' || sub === '') throw rejected('the identity token has no subject');
  if (!isTime(exp)) throw rejected('the identity token has no expiry');
  if (expected.issuer !== undefined && iss !== undefined && iss !== expected.issuer) {
    throw rejected(`the identity token is of another issuer than ${expected.issuer}`);
  }
  checkAudience(aud, expected.audience);
  return {
    subject: sub,
    principal: sub,
    publicKey: publicKeyOf(claims),
    issuedAtMs: isTime(iat) ? iat * 1000 : 0,
    expiresAtMs: exp * 1000,
    claims,
  };
}

function checkAudience(audience: unknown, expected: readonly string[] | undefined): void {
  if (audience === undefined) return;
  if (!Array.isArray(audience)) throw rejected('the audience of the identity token is no list');
  if (!expected || expected.some((name) => audience.includes(name))) return;
  throw rejected(`the identity token is for another audience than ${expected.join(', ')}`);
}

/** Seconds since the epoch. */
export function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}
