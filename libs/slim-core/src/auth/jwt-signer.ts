import { SignJWT } from 'jose';
import type { Clock } from '../clock/clock.js';
import type { LoadedKey } from './jwt-keys.js';

/** What the tokens of one signer say. */
export interface JwtClaims {
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: readonly string[] | undefined;
  readonly lifetimeMs: number;
}

/** Signs tokens as an official application does (reference: identity 7.1). */
export class JwtSigner {
  readonly #claims: JwtClaims;
  readonly #key: LoadedKey;
  readonly #clock: Clock;

  constructor(claims: JwtClaims, key: LoadedKey, clock: Clock) {
    this.#claims = claims;
    this.#key = key;
    this.#clock = clock;
  }

  /** A token that is good from now on; `more` is claimed beside the rest. */
  sign(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { subject, issuer, audience, lifetimeMs } = this.#claims;
    const seconds = Math.floor(this.#clock.now() / 1000);
    const claims = {
      ...more,
      ...(issuer !== undefined && { iss: issuer }),
      ...(subject !== undefined && { sub: subject }),
      ...(audience && { aud: [...audience] }),
      exp: seconds + Math.floor(lifetimeMs / 1000),
      iat: seconds,
      nbf: seconds,
    };
    const kid = subject !== undefined && { kid: subject };
    const header = { typ: 'JWT', alg: this.#key.algorithm, ...kid };
    return new SignJWT(claims).setProtectedHeader(header).sign(this.#key.key);
  }
}
