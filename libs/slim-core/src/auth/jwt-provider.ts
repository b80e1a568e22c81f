import { SignJWT } from 'jose';
import type { Cancel, Clock } from '../clock/clock.js';
import type { SigningKeyPair } from '../crypto/crypto.js';
import { toBase64 } from './base64.js';
import type { IdentityProvider } from './identity.js';
import type { LoadedKey } from './jwt-keys.js';

/** What the tokens of one application say. */
export interface JwtClaims {
  readonly subject: string;
  readonly issuer: string | undefined;
  readonly audience: readonly string[] | undefined;
  readonly lifetimeMs: number;
}

/** How often a token is signed. The official peer signs one a message, which nothing asks for. */
const renewMs = 60_000;

/** Signs ahead, because a token is wanted at once and a signature takes its time. */
export class JwtProvider implements IdentityProvider {
  readonly keys: SigningKeyPair;
  readonly #claims: JwtClaims;
  readonly #key: LoadedKey;
  readonly #clock: Clock;
  #token = '';
  #closed = false;
  #cancel: Cancel = () => undefined;

  constructor(claims: JwtClaims, key: LoadedKey, keys: SigningKeyPair, clock: Clock) {
    this.keys = keys;
    this.#claims = claims;
    this.#key = key;
    this.#clock = clock;
  }

  get tokenId(): string {
    return this.#claims.subject;
  }

  token(): string {
    return this.#token;
  }

  /** Signs the first token, and from now on a new one in good time. */
  async start(): Promise<void> {
    await this.#sign();
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #arm(): void {
    const intervalMs = Math.min(renewMs, this.#claims.lifetimeMs / 2);
    this.#cancel = this.#clock.schedule(intervalMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      await this.#sign();
    } catch {
      // The key has signed before, and the token at hand is good until the next attempt.
    }
    if (!this.#closed) this.#arm();
  }

  async #sign(): Promise<void> {
    const { subject, issuer, audience, lifetimeMs } = this.#claims;
    const seconds = Math.floor(this.#clock.now() / 1000);
    const claims = {
      ...(issuer === undefined ? {} : { iss: issuer }),
      sub: subject,
      ...(audience === undefined ? {} : { aud: [...audience] }),
      exp: seconds + Math.floor(lifetimeMs / 1000),
      iat: seconds,
      nbf: seconds,
      pubkey: toBase64(this.keys.publicKey),
    };
    const header = { typ: 'JWT', alg: this.#key.algorithm, kid: subject };
    this.#token = await new SignJWT(claims).setProtectedHeader(header).sign(this.#key.key);
  }
}
