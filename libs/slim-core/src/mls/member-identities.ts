import type { Credential } from 'ts-mls';
import type { Identity, IdentityVerifier } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';

/**
 * Who stands behind the leaves of one group. A credential is verified when its leaf comes in, which may
 * take asynchronous work; after that its identity is at hand for as long as the leaf is.
 */
export class MemberIdentities {
  readonly #verifier: IdentityVerifier;
  /** By the object itself, which goes from tree to tree with its leaf and is never changed. */
  readonly #known = new WeakMap<Credential, Identity>();

  constructor(verifier: IdentityVerifier) {
    this.#verifier = verifier;
  }

  /** @throws SlimError `identity-rejected`, or `mls-failure` for another kind of credential */
  async verify(credential: Credential): Promise<Identity> {
    const known = this.#known.get(credential);
    if (known) return known;
    const identity = await this.#verifier.verifyCredential(tokenOf(credential));
    this.#known.set(credential, identity);
    return identity;
  }

  /** Takes over what was verified before a restart. */
  trust(
    credential: Credential,
    { subject, publicKey }: Pick<Identity, 'subject' | 'publicKey'>,
  ): void {
    const principal = subject;
    const identity = { subject, principal, publicKey, issuedAtMs: 0, expiresAtMs: 0, claims: {} };
    this.#known.set(credential, identity);
  }

  /** The identity behind a credential that was verified before. */
  of(credential: Credential): Identity {
    const identity = this.#known.get(credential);
    if (identity) return identity;
    throw new SlimError('mls-failure', 'a member of the group was never verified');
  }
}

/** A credential that carries an identity token. */
export function tokenCredential(token: string): Credential {
  return { credentialType: 'basic', identity: new TextEncoder().encode(token) };
}

const decoder = new TextDecoder();

function tokenOf(credential: Credential): string {
  if (credential.credentialType === 'basic') return decoder.decode(credential.identity);
  const type = credential.credentialType;
  throw new SlimError('mls-failure', `expected a basic credential, got ${type}`);
}
