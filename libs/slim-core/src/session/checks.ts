import type { Identity, IdentityVerifier } from '../auth/identity.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { headerIntegrityBytes } from '../wire/header-integrity.js';
import { isControl } from '../wire/session-header.js';
import type { Incoming } from './incoming.js';

/**
 * Checks who sent a message: its token, and for a control message the signature over both headers
 * (reference: identity 6). We check always, the official peer in MLS sessions only.
 * @throws SlimError `identity-rejected`
 */
export function verifySender(
  verifier: IdentityVerifier,
  crypto: Crypto,
  incoming: Incoming,
): Identity | Promise<Identity> {
  const identity = verifier.verify(incoming.header.identity);
  if (!isControl(incoming.session.messageType)) return identity;
  return identity instanceof Promise
    ? identity.then((known) => checkSignature(known, crypto, incoming))
    : checkSignature(identity, crypto, incoming);
}

function checkSignature(
  identity: Identity,
  crypto: Crypto,
  { header, session }: Incoming,
): Identity {
  const signature = header.headerSignature;
  const signed = headerIntegrityBytes(header, session, '');
  if (!signature || !crypto.verify(identity.publicKey, signed, signature)) {
    throw new SlimError('identity-rejected', 'the signature of a control message is wrong');
  }
  return identity;
}
