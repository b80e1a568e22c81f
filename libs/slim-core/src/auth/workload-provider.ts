import type { Cancel, Clock } from '../clock/clock.js';
import type { SigningKeyPair } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { Identity, IdentityProvider, IdentityVerifier } from './identity.js';
import type { TokenSource } from './token-source.js';

/** What a provider of tokens from elsewhere needs. */
export interface WorkloadProviderOptions {
  readonly source: TokenSource;
  readonly keys: SigningKeyPair;
  /** Judges each token before it is used. */
  readonly verifier: IdentityVerifier;
  readonly clock: Clock;
  /** Hears of a token that could not be had or used; the one at hand stays. */
  onError(reason: SlimError): void;
  /** Ends what was opened for the same application. */
  release(): void;
}

/** How often a source is asked, besides when it says that its token changed. */
const [minAskMs, maxAskMs] = [1_000, 60_000];

/** Hands out the tokens of a source, each from when it is there and found good for the key pair. */
export class WorkloadProvider implements IdentityProvider {
  readonly #options: WorkloadProviderOptions;
  #token = '';
  #identity: Identity | undefined;
  #taking = Promise.resolve();
  #closed = false;
  #cancel: Cancel = () => undefined;
  #stop: () => void = () => undefined;

  constructor(options: WorkloadProviderOptions) {
    this.#options = options;
  }

  get keys(): SigningKeyPair {
    return this.#options.keys;
  }

  get tokenId(): string {
    return this.#identity?.subject ?? '';
  }

  token(): string {
    return this.#token;
  }

  /**
   * Takes the first token, and from now on every newer one.
   * @throws SlimError what the source threw, `identity-rejected` or `invalid-config` for a token of no use
   */
  async start(): Promise<void> {
    const first = this.#taking.then(() => this.#take());
    // Told to whoever starts it; a change meanwhile is taken behind it all the same.
    this.#taking = first.catch(() => undefined);
    this.#stop = this.#options.source.onChange?.(() => this.#renew()) ?? this.#stop;
    await first;
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#stop();
    this.#options.release();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#cancel();
    const leftMs = (this.#identity?.expiresAtMs ?? 0) - this.#options.clock.now();
    const intervalMs = Math.min(maxAskMs, Math.max(minAskMs, leftMs / 3));
    this.#cancel = this.#options.clock.schedule(intervalMs, () => this.#renew());
  }

  /** One after the other, so that the newest token is the one that stays. */
  #renew(): void {
    const failed = (reason: unknown): void => {
      if (!this.#closed) this.#options.onError(SlimError.from(reason, 'identity-rejected'));
    };
    this.#taking = this.#taking
      .then(() => (this.#closed ? undefined : this.#take()))
      .catch(failed)
      .then(() => this.#arm());
  }

  async #take(): Promise<void> {
    const token = await this.#options.source.token();
    if (token === this.#token) return;
    const identity = await this.#options.verifier.verify(token);
    this.#check(identity);
    this.#identity = identity;
    this.#token = token;
  }

  /** The id and the key of an application are for its life: its sessions and groups know it by them. */
  #check({ subject, publicKey }: Identity): void {
    if (this.#identity && subject !== this.#identity.subject) {
      const message = `expected a token of ${this.#identity.subject}, got one of ${subject}`;
      throw new SlimError('invalid-config', message);
    }
    const own = this.#options.keys.publicKey;
    if (own.length === publicKey.length && own.every((byte, at) => byte === publicKey[at])) return;
    const message = 'the token carries another public key than the one of the key pair';
    throw new SlimError('invalid-config', message);
  }
}
