import type { Cancel, Clock } from '../clock/clock.js';
import type { SigningKeyPair } from '../crypto/crypto.js';
import { toBase64 } from './base64.js';
import type { IdentityProvider } from './identity.js';
import type { JwtSigner } from './jwt-signer.js';
import type { SignedTokens } from './signed-tokens.js';

/** What the tokens of an application need beside a signer. */
export interface JwtProviderOptions {
  readonly tokenId: string;
  readonly keys: SigningKeyPair;
  readonly lifetimeMs: number;
  readonly clock: Clock;
  /** What verifies tokens for the same application; closed with this. */
  readonly tokens: SignedTokens;
}

/** How often a token is signed. The official peer signs one a message, which nothing asks for. */
const renewMs = 60_000;

/** Signs ahead, because a token is wanted at once and a signature takes its time. */
export class JwtProvider implements IdentityProvider {
  readonly #signer: JwtSigner;
  readonly #options: JwtProviderOptions;
  #token = '';
  #closed = false;
  #cancel: Cancel = () => undefined;

  constructor(signer: JwtSigner, options: JwtProviderOptions) {
    this.#signer = signer;
    this.#options = options;
  }

  get tokenId(): string {
    return this.#options.tokenId;
  }

  get keys(): SigningKeyPair {
    return this.#options.keys;
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
    this.#options.tokens.close();
  }

  #arm(): void {
    const { clock, lifetimeMs } = this.#options;
    const intervalMs = Math.min(renewMs, lifetimeMs / 2);
    this.#cancel = clock.schedule(intervalMs, () => void this.#renew());
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
    this.#token = await this.#signer.sign({ pubkey: toBase64(this.keys.publicKey) });
  }
}
