import type { Clock } from '../clock/clock.js';
import { rejected } from './claims.js';
import type { Identity, IdentityVerifier } from './identity.js';
import type { SignedTokens, TokenClaims } from './signed-tokens.js';

/** For clocks that differ; the official verifier allows the same (reference: identity 7.2). */
export const leewayMs = 60_000;
/** Verified tokens that are kept, so that a burst of messages costs one signature check. */
const maxCached = 1024;

/** The identity that claims speak of. @throws SlimError `identity-rejected` */
export type ClaimReader = (claims: TokenClaims) => Identity;

/** Judges tokens by their signature, what they claim and their age. */
export class JwtVerifier implements IdentityVerifier {
  readonly #tokens: SignedTokens;
  readonly #read: ClaimReader;
  readonly #clock: Clock;
  readonly #authentic = new Map<string, Identity>();

  constructor(tokens: SignedTokens, read: ClaimReader, clock: Clock) {
    this.#tokens = tokens;
    this.#read = read;
    this.#clock = clock;
  }

  verify(token: string): Identity | Promise<Identity> {
    const cached = this.#authentic.get(token);
    if (cached) return this.#inTime(cached);
    return this.#prove(token).then((identity) => this.#inTime(identity));
  }

  verifyCredential(token: string): Identity | Promise<Identity> {
    return this.#authentic.get(token) ?? this.#prove(token);
  }

  #inTime(identity: Identity): Identity {
    const lateMs = this.#clock.now() - identity.expiresAtMs;
    if (lateMs <= leewayMs) return identity;
    throw rejected(`the identity token expired ${Math.floor(lateMs / 1000)} s ago`);
  }

  async #prove(token: string): Promise<Identity> {
    const identity = this.#read(await this.#tokens.open(token));
    const [oldest] = this.#authentic.keys();
    if (this.#authentic.size >= maxCached && oldest !== undefined) this.#authentic.delete(oldest);
    this.#authentic.set(token, identity);
    return identity;
  }
}
