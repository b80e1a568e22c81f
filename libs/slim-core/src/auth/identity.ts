import type { Clock } from '../clock/clock.js';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import type { SlimName } from '../names/slim-name.js';

/** What a verified token says about who sent it. */
export interface Identity {
  /** The token id: stable for the life of one application object (reference: identity 1). */
  readonly subject: string;
  /**
   * Who the token was made out to. A JWT: its subject. A shared secret: the name that the application
   * said it has, which is the subject without its random end.
   */
  readonly principal: string;
  /** The key that the sender signs control messages and MLS messages with. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since the epoch; 0 when the token does not say. */
  readonly issuedAtMs: number;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Everything the token claims, as it was parsed. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Mints the tokens of one application. Its key pair never changes. */
export interface IdentityProvider {
  /** The application id is a hash of it. */
  readonly tokenId: string;
  readonly keys: SigningKeyPair;
  /** A token that is valid now; the same text may be returned for some seconds. */
  token(): string;
  /** Stops what it does in the background, if anything: its last token is not renewed. */
  close?(): void;
}

/** Judges the tokens of others. */
export interface IdentityVerifier {
  /**
   * The identity behind a token that is valid now; a promise only where the proof takes asynchronous
   * work that is not cached.
   * @throws SlimError `identity-rejected`
   */
  verify(token: string): Identity | Promise<Identity>;
  /**
   * Like `verify`, whatever the age: an MLS credential keeps the token it was made with, and the group
   * must outlive it (reference: MLS 9.2).
   * @throws SlimError `identity-rejected`
   */
  verifyCredential(token: string): Identity | Promise<Identity>;
}

/** Both halves, made for one application. */
export interface IdentityPair {
  readonly provider: IdentityProvider;
  readonly verifier: IdentityVerifier;
}

/** What makes an application the same one after a restart (reference: identity 11). */
export interface KeptIdentity {
  readonly tokenId: string;
  readonly keys: SigningKeyPair;
}

/** What an identity is made from when an application connects. */
export interface IdentityContext {
  readonly name: SlimName;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /**
   * Given where the application has a store; called once, before token id and keys are chosen. `secret` lasts
   * and is known to nobody but this identity: the store is sealed with it, unless it has a passphrase. Returns
   * what was kept, to be used again, and undefined the first time.
   * @throws SlimError `store-failed`, `invalid-config`
   */
  readonly recall?: (secret: Uint8Array | undefined) => KeptIdentity | undefined;
}

/**
 * A way to prove who one is, such as `sharedSecret({ secret })`. Whoever calls it closes the provider.
 * @throws SlimError `invalid-config`
 */
export type IdentitySource = (context: IdentityContext) => IdentityPair | Promise<IdentityPair>;
