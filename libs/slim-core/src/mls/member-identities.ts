import type { Credential } from 'ts-mls';
import type { Identity, IdentityVerifier } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';

/**
 * Who stands behind the leaves of one group. A credential is verified when its leaf comes in, which may
 * take asynchronous work; after that its identity is at hand.
 */
export class MemberIdentities {
  readonly #verifier: IdentityVerifier;
  readonly #known = new Map<string, Identity>();

  constructor(verifier: IdentityVerifier) {
    this.#verifier = verifier;
  }

  /** @throws SlimError `identity-rejected`, or `mls-failure` for another kind of credential */
  async verify(credential: Credential): Promise<Identity> {
    const token = tokenOf(credential);
    const identity = this.#known.get(token) ?? (await this.#verifier.verifyCredential(token));
    this.#known.set(token, identity);
    return identity;
  }

  /** The identity behind a credential that was verified before. */
  of(credential: Credential): Identity {
    const identity = this.#known.get(tokenOf(credential));
    if (identity) return identity;
    throw new SlimError('mls-failure', 'a member of the group was never verified');
  }

  /** Forgets all but these. */
  keep(credentials: readonly Credential[]): void {
    const tokens = new Set(credentials.map(tokenOf));
    for (const token of this.#known.keys()) if (!tokens.has(token)) this.#known.delete(token);
  }
}

/** A credential that carries an identity token. */
export function tokenCredential(token: string): Credential {
  return { credentialType: 'basic', identity: new TextEncoder().encode(token) };
}

function tokenOf(credential: Credential): string {
  if (credential.credentialType === 'basic') return new TextDecoder().decode(credential.identity);
  const type = credential.credentialType;
  throw new SlimError('mls-failure', `expected a basic credential, got ${type}`);
}
