import { rejected } from './claims.js';
import type { LoadedKey } from './jwt-keys.js';

/** What a token says of itself, before it is known whether that is true. */
export type UnverifiedClaims = Readonly<Record<string, unknown>>;

/** The keys that tokens are verified with; they may change while they are in use. */
export interface VerificationKeys {
  /**
   * Those that a token with such claims may be signed with.
   * @throws SlimError `identity-rejected` when there are none for it, `link-failed` when they cannot be had
   */
  for(claims: UnverifiedClaims): readonly LoadedKey[] | Promise<readonly LoadedKey[]>;
  /** Looks for newer ones, because none fitted; false when that is of no use now. */
  renew(claims: UnverifiedClaims): Promise<boolean>;
  /** May be called twice. */
  close(): void;
}

/** Keys that were given once and for all. */
export class FixedKeys implements VerificationKeys {
  readonly #keys: readonly LoadedKey[];

  constructor(keys: readonly LoadedKey[]) {
    this.#keys = keys;
  }

  for(): readonly LoadedKey[] {
    return this.#keys;
  }

  renew(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): void {}
}

/** Keys of several authorities, each of which vouches for its own tokens and for no others. */
export class KeysByAuthority implements VerificationKeys {
  readonly #authorityOf: (claims: UnverifiedClaims) => string | undefined;
  readonly #keys: ReadonlyMap<string, VerificationKeys>;

  constructor(
    authorityOf: (claims: UnverifiedClaims) => string | undefined,
    keys: ReadonlyMap<string, VerificationKeys>,
  ) {
    this.#authorityOf = authorityOf;
    this.#keys = keys;
  }

  for(claims: UnverifiedClaims): readonly LoadedKey[] | Promise<readonly LoadedKey[]> {
    return this.#of(claims).for(claims);
  }

  renew(claims: UnverifiedClaims): Promise<boolean> {
    return this.#of(claims).renew(claims);
  }

  close(): void {
    for (const keys of this.#keys.values()) keys.close();
  }

  #of(claims: UnverifiedClaims): VerificationKeys {
    const keys = this.#keys.get(this.#authorityOf(claims) ?? '');
    if (keys) return keys;
    throw rejected(`the token is of another issuer than ${[...this.#keys.keys()].join(', ')}`);
  }
}
