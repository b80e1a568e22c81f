import type { Identity } from '@nestjs-slim/core';

/** Members of the claims that a shared-secret token gives (reference: identity 2.3). */
const sharedSecretClaims = ['custom_claims', 'exp', 'iat', 'sub'];
const sharedSecretLifetimeSeconds = 3600;

/**
 * Which name a token was made out to. A JWT: its subject, as the issuer wrote it. A shared-secret token: its
 * id without the random end, which is what the application said that it is called.
 */
export function verifiedName({ subject, claims }: Identity): string {
  // Only there: an issuer may let users choose subjects, and one that ends like a random end is not the
  // subject without it.
  return isSharedSecret(claims) ? subject.replace(/_[A-Za-z0-9]{8}$/, '') : subject;
}

/** Told by its claims, which are these four and no other. A JWT also says who issued it and for whom. */
function isSharedSecret(claims: Identity['claims']): boolean {
  const { iat, exp } = claims;
  return (
    Object.keys(claims).sort().join() === sharedSecretClaims.join() &&
    typeof iat === 'number' &&
    exp === iat + sharedSecretLifetimeSeconds
  );
}
