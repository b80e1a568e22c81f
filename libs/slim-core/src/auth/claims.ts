import { SlimError } from '../errors/slim-error.js';
import { fromBase64 } from './base64.js';

type Claims = Readonly<Record<string, unknown>>;

/**
 * The public key among claims: `pubkey` at top level, else under `custom_claims` (reference: identity 2.3).
 * @throws SlimError `identity-rejected`
 */
export function publicKeyOf(claims: Claims): Uint8Array {
  const custom = isRecord(claims.custom_claims) ? claims.custom_claims : {};
  const text = claims.pubkey ?? custom.pubkey;
  if (typeof text !== 'string') throw rejected('public key not found in identity claims');
  const key = fromBase64(text);
  if (!key) throw rejected('the public key in the identity claims is not base64');
  return key;
}

/** Narrows parsed JSON to an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A refused identity. The token itself is never part of the message. */
export function rejected(why: string): SlimError {
  return new SlimError('identity-rejected', why);
}
