import { fromBase64, toBase64 } from './base64.js';
import { isRecord, publicKeyOf, rejected } from './claims.js';
import type { Identity } from './identity.js';
import { isTime } from './jwt-claims.js';
import type { TokenClaims } from './signed-tokens.js';

/** What an SVID cannot claim, because only SPIRE writes it, is claimed by one of its audiences. */
const claimsPrefix = 'slim-claims:';

/** The audience that carries a public key (reference: identity 9). */
export function claimsAudience(publicKey: Uint8Array): string {
  const claims = JSON.stringify({ pubkey: toBase64(publicKey) });
  return claimsPrefix + toBase64(new TextEncoder().encode(claims));
}

/**
 * The identity in the claims of a JWT-SVID whose signature was found good; not its age.
 * @throws SlimError `identity-rejected`
 */
export function toWorkloadIdentity(claims: TokenClaims, audience: readonly string[]): Identity {
  const { sub, aud, exp, iat } = claims;
  if (trustDomainOf(claims) === undefined || typeof sub !== 'string') {
    throw rejected('the subject of the token is no SPIFFE id');
  }
  if (!isTime(exp)) throw rejected('the token has no expiry');
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audience.some((name) => named.includes(name))) {
    throw rejected(`the token is for another audience than ${audience.join(', ')}`);
  }
  const { others, custom } = readAudiences(named);
  return {
    subject: sub,
    principal: sub,
    publicKey: publicKeyOf({ custom_claims: custom }),
    issuedAtMs: isTime(iat) ? iat * 1000 : 0,
    expiresAtMs: exp * 1000,
    claims: { ...claims, aud: others, custom_claims: custom },
  };
}

/** `example.org` of `spiffe://example.org/billing`; undefined for what is no SPIFFE id of a workload. */
export function trustDomainOf({ sub }: TokenClaims): string | undefined {
  if (typeof sub !== 'string') return undefined;
  return /^spiffe:\/\/([a-z0-9._-]+)(?:\/[A-Za-z0-9._-]+)+$/.exec(sub)?.[1];
}

/** As the official verifier does: what cannot be read stays an audience, and the last of a name counts. */
function readAudiences(audiences: readonly unknown[]) {
  const others: unknown[] = [];
  let custom: Readonly<Record<string, unknown>> = {};
  for (const audience of audiences) {
    const claims = readClaims(audience);
    // Spread, not assigned: a claim named __proto__ is a claim like any other.
    if (claims) custom = { ...custom, ...claims };
    else others.push(audience);
  }
  return { others, custom };
}

function readClaims(audience: unknown): Record<string, unknown> | undefined {
  if (typeof audience !== 'string' || !audience.startsWith(claimsPrefix)) return undefined;
  const bytes = fromBase64(audience.slice(claimsPrefix.length));
  try {
    const claims: unknown = bytes && JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
