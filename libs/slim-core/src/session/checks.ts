import type { Identity, IdentityVerifier } from '../auth/identity.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { headerIntegrityBytes } from '../wire/header-integrity.js';
import type { Incoming } from './incoming.js';

/**
 * Checks a control message: its token, and the signature over both headers (reference: identity 6). We
 * check always, the official peer in MLS sessions only.
 * @throws SlimError `identity-rejected`
 */
export function verifyControl(
  verifier: IdentityVerifier,
  crypto: Crypto,
  { header, session }: Incoming,
): Identity {
  const identity = verifier.verify(header.identity);
  const signature = header.headerSignature;
  const signed = headerIntegrityBytes(header, session, '');
  if (!signature || !crypto.verify(identity.publicKey, signed, signature)) {
    throw new SlimError('identity-rejected', 'the signature of a control message is wrong');
  }
  return identity;
}
