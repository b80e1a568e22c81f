import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import type { Clock } from '../clock/clock.js';
import { rejected } from './claims.js';
import type { Identity, IdentityVerifier } from './identity.js';
import { toJwtIdentity, type ExpectedClaims } from './jwt-claims.js';
import type { LoadedKey } from './jwt-keys.js';

/** For clocks that differ; the official verifier allows the same (reference: identity 7.2). */
const leewayMs = 60_000;
/** Verified tokens that are kept, so that a burst of messages costs one signature check. */
const maxCached = 1024;

/** Judges tokens by keys that were given beforehand, as an official application does. */
export class JwtVerifier implements IdentityVerifier {
  readonly #keys: readonly LoadedKey[];
  readonly #expected: ExpectedClaims;
  readonly #clock: Clock;
  readonly #authentic = new Map<string, Identity>();

  constructor(keys: readonly LoadedKey[], expected: ExpectedClaims, clock: Clock) {
    this.#keys = keys;
    this.#expected = expected;
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
    const identity = toJwtIdentity(await this.#signedPayload(token), this.#expected);
    const [oldest] = this.#authentic.keys();
    if (this.#authentic.size >= maxCached && oldest !== undefined) this.#authentic.delete(oldest);
    this.#authentic.set(token, identity);
    return identity;
  }

  /** Tries one key after the other; only a signature that does not match moves on to the next. */
  async #signedPayload(token: string): Promise<Uint8Array> {
    for (const { key, algorithm } of this.#candidates(token)) {
      try {
        return (await compactVerify(token, key, { algorithms: [algorithm] })).payload;
      } catch (reason) {
        if (!(reason instanceof errors.JWSSignatureVerificationFailed)) throw malformed();
      }
    }
    throw rejected('the signature of the identity token does not match');
  }

  /**
   * The keys that the header names, else all, as far as the token has the key's own algorithm: the
   * header chooses among pairs of key and algorithm and never makes one (reference: identity 7.3).
   */
  #candidates(token: string): readonly LoadedKey[] {
    const { alg, kid } = headerOf(token);
    const named = this.#keys.filter(({ keyId }) => keyId !== undefined && keyId === kid);
    const keys = named.length > 0 ? named : this.#keys;
    const candidates = keys.filter(({ algorithm }) => algorithm === alg);
    if (candidates.length > 0) return candidates;
    const expected = [...new Set(keys.map(({ algorithm }) => algorithm))].join(', ');
    throw rejected(`the identity token is not signed with ${expected}`);
  }
}

function headerOf(token: string): { readonly alg?: unknown; readonly kid?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw malformed();
  }
}

// Without the reason as its cause, which might quote the token.
function malformed(): Error {
  return rejected('the identity token is malformed');
}
