import { isRecord } from './claims.js';
import type { JwtKey } from './jwt-keys.js';

/**
 * The secret part of a key, from which the key of a store is derived; the same for a PEM whose lines are
 * broken otherwise. The key was found good before.
 */
export function keyMaterial(key: JwtKey): Uint8Array {
  if ('secret' in key) {
    return typeof key.secret === 'string' ? new TextEncoder().encode(key.secret) : key.secret;
  }
  if ('pem' in key) return new TextEncoder().encode(key.pem.replaceAll(/-----[^-]+-----|\s/g, ''));
  const jwk: unknown = typeof key.jwk === 'string' ? JSON.parse(key.jwk) : key.jwk;
  const secret = isRecord(jwk) ? (jwk.d ?? jwk.k) : undefined;
  return new TextEncoder().encode(String(secret));
}
