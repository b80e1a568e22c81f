import type * as Jose from 'jose';
import type { CryptoKey, JSONWebKeySet, JWK } from 'jose';
import { SlimError } from '../errors/slim-error.js';
import { isRecord } from './claims.js';

const symmetric = ['HS256', 'HS384', 'HS512'] as const;
const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;
const curves = ['ES256', 'ES384', 'EdDSA'] as const;
const algorithms = [...symmetric, ...rsa, ...curves];

/** The algorithms that official applications sign identity tokens with. */
export type JwtAlgorithm = (typeof algorithms)[number];

/**
 * A key and its algorithm. PEM is PKCS#8 to sign with and SPKI to verify with; a JWK is an object or
 * its JSON text; a secret has at least 32 bytes, signs and verifies, and means HS256 unless told.
 */
export type JwtKey =
  | { readonly pem: string; readonly algorithm: JwtAlgorithm }
  | { readonly jwk: JWK | string; readonly algorithm?: JwtAlgorithm }
  | { readonly secret: string | Uint8Array; readonly algorithm?: JwtAlgorithm };

/** Public keys as an object or as the text of a JWKS file; `algorithm` is for those that name none. */
export interface JwtKeySet {
  readonly jwks: JSONWebKeySet | string;
  readonly algorithm?: JwtAlgorithm;
}

/** What a key is there for. */
export type JwtKeyUse = 'signing' | 'verification';

/** A key ready for use, with the only algorithm it is used with. */
export interface LoadedKey {
  readonly algorithm: JwtAlgorithm;
  readonly keyId: string | undefined;
  readonly key: CryptoKey | Uint8Array;
}

/** Imports a key whose description was found good. @throws SlimError `invalid-config` */
export type KeyLoader = () => Promise<LoadedKey>;

/** For encryption, and the certificates in a SPIFFE bundle. */
const otherUses = new Set<unknown>(['enc', 'x509-svid']);
const minSecretBytes = 32;
const minRsaBits = 2048;

/** @throws SlimError `invalid-config` that says what was expected and shows nothing of the key */
export function parseKey(source: JwtKey, use: JwtKeyUse): KeyLoader {
  if (isRecord(source)) {
    if ('pem' in source) return parsePem(source.pem, checkAlgorithm(source.algorithm), use);
    if ('secret' in source) return parseSecret(source.secret, source.algorithm ?? 'HS256');
    if ('jwk' in source) {
      const jwk = parseJson(source.jwk, `the JWK of the ${use} key`);
      const algorithm = checkAlgorithm(algorithmOf(jwk) ?? source.algorithm);
      return parseJwk(jwk, algorithm, use);
    }
  }
  throw invalid(`expected a ${use} key as { pem }, { jwk } or { secret }`);
}

/** All keys of a set that verify; at least one. @throws SlimError `invalid-config` */
export function parseKeys(source: JwtKey | JwtKeySet): readonly KeyLoader[] {
  if (!isKeySet(source)) return [parseKey(source, 'verification')];
  return membersOf(source).map(([jwk, algorithm]) => parseJwk(jwk, algorithm, 'verification'));
}

/**
 * The keys of a set that somebody else publishes. One that cannot be used does not cost the others.
 * @throws SlimError `invalid-config` when there is none of use
 */
export async function loadPublished(
  jwks: object | string,
  algorithm?: JwtAlgorithm,
): Promise<readonly LoadedKey[]> {
  const source = { jwks: jwks as JwtKeySet['jwks'], ...(algorithm && { algorithm }) };
  const load = async ([jwk, named]: SetMember): Promise<LoadedKey> =>
    parseJwk(jwk, named, 'verification')();
  const loading = await Promise.allSettled(membersOf(source).map(load));
  const keys = loading.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (keys.length > 0) return keys;
  throw invalid('expected the JWKS to have a well-formed key');
}

type SetMember = readonly [jwk: Record<string, unknown>, algorithm: JwtAlgorithm];

function membersOf(source: JwtKeySet): readonly SetMember[] {
  const { keys } = parseJson(source.jwks, 'the JWKS');
  if (!Array.isArray(keys)) throw invalid('expected the JWKS to have an array of keys');
  const members = keys.filter(isRecord).flatMap((jwk): SetMember[] => {
    // A published set holds keys for other purposes too (RFC 7517 section 5: they are ignored).
    const algorithm = algorithmOf(jwk) ?? source.algorithm;
    return otherUses.has(jwk.use) || !isAlgorithm(algorithm) ? [] : [[jwk, algorithm]];
  });
  if (members.length > 0) return members;
  throw invalid(`expected the JWKS to have a key for one of ${algorithms.join(', ')}`);
}

function isKeySet(source: JwtKey | JwtKeySet): source is JwtKeySet {
  return isRecord(source) && 'jwks' in source;
}

function parsePem(pem: string, algorithm: JwtAlgorithm, use: JwtKeyUse): KeyLoader {
  if (isSymmetric(algorithm)) throw invalid(`expected a secret for ${algorithm}, got a PEM`);
  const [, label = 'no PEM'] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem) ?? [];
  const expected = use === 'signing' ? 'PRIVATE KEY' : 'PUBLIC KEY';
  if (label !== expected) throw invalid(`expected a PEM with a ${expected}, got ${label}`);
  return loader({ algorithm, keyId: undefined }, ({ importPKCS8, importSPKI }) =>
    use === 'signing' ? importPKCS8(pem, algorithm) : importSPKI(pem, algorithm),
  );
}

function parseSecret(secret: string | Uint8Array, algorithm: string): KeyLoader {
  if (!isAlgorithm(algorithm) || !isSymmetric(algorithm)) {
    throw invalid(`expected one of ${symmetric.join(', ')} for a secret, got ${algorithm}`);
  }
  const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret.slice();
  checkStrength(key);
  return loader({ algorithm, keyId: undefined }, () => Promise.resolve(key));
}

function parseJwk(
  jwk: Record<string, unknown>,
  algorithm: JwtAlgorithm,
  use: JwtKeyUse,
): KeyLoader {
  if (isSymmetric(algorithm) !== (jwk.kty === 'oct')) {
    throw invalid(`expected a JWK for ${algorithm}, got one of type ${String(jwk.kty)}`);
  }
  if (!isSymmetric(algorithm) && 'd' in jwk !== (use === 'signing')) {
    throw invalid(`expected a ${use === 'signing' ? 'private' : 'public'} JWK as ${use} key`);
  }
  const keyId = typeof jwk.kid === 'string' ? jwk.kid : undefined;
  return loader({ algorithm, keyId }, ({ importJWK }) => importJWK(jwk, algorithm));
}

function loader(
  description: Omit<LoadedKey, 'key'>,
  load: (jose: typeof Jose) => Promise<CryptoKey | Uint8Array>,
): KeyLoader {
  return async () => {
    const key = await load(await import('jose')).catch(() => {
      // The reason is not kept as the cause: it comes from reading the key and might show of it.
      throw invalid(`expected a well-formed key for ${description.algorithm}`);
    });
    checkStrength(key);
    return { ...description, key };
  };
}

function checkStrength(key: CryptoKey | Uint8Array): void {
  if (key instanceof Uint8Array) {
    if (key.length >= minSecretBytes) return;
    throw invalid(`expected a secret of at least ${minSecretBytes} bytes, got ${key.length}`);
  }
  const { modulusLength } = key.algorithm as { readonly modulusLength?: number };
  if (modulusLength === undefined || modulusLength >= minRsaBits) return;
  throw invalid(`expected an RSA key of at least ${minRsaBits} bits, got ${modulusLength}`);
}

/** The algorithm that a JWK names, or the only one that its curve allows. */
function algorithmOf({ alg, crv }: Record<string, unknown>): unknown {
  return alg ?? { 'P-256': 'ES256', 'P-384': 'ES384', Ed25519: 'EdDSA' }[String(crv)];
}

function checkAlgorithm(value: unknown): JwtAlgorithm {
  if (isAlgorithm(value)) return value;
  throw invalid(`expected an algorithm out of ${algorithms.join(', ')}, got ${String(value)}`);
}

function isAlgorithm(value: unknown): value is JwtAlgorithm {
  return algorithms.some((known) => known === value);
}

function isSymmetric(algorithm: JwtAlgorithm): boolean {
  return symmetric.some((known) => known === algorithm);
}

function parseJson(value: unknown, what: string): Record<string, unknown> {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value);
    } catch {
      // Falls through with the text itself; the error would quote it, and it may be a key.
    }
  }
  if (isRecord(parsed)) return parsed;
  throw invalid(`expected ${what} to be an object or its JSON text`);
}

function invalid(message: string): SlimError {
  return new SlimError('invalid-config', message);
}
