import type * as Jose from 'jose';
import { fromBase64Url } from './base64.js';
import { isRecord, rejected } from './claims.js';
import type { LoadedKey } from './jwt-keys.js';
import type { UnverifiedClaims, VerificationKeys } from './verification-keys.js';

/** What a token claims, once its signature was found good. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** A token that was taken apart and not judged. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: UnverifiedClaims;
}

/** Judges the signatures of JSON Web Tokens, and nothing else of them. */
export class SignedTokens {
  readonly #keys: VerificationKeys;

  constructor(keys: VerificationKeys) {
    this.#keys = keys;
  }

  /**
   * What a token with a good signature claims.
   * @throws SlimError `identity-rejected`, or `link-failed` when the keys cannot be had
   */
  async open(token: string): Promise<TokenClaims> {
    const parts = readToken(token);
    const keys = await this.#keys.for(parts.claims);
    const known = keys.some(({ keyId }) => keyId !== undefined && keyId === parts.header.kid);
    try {
      await prove(token, parts, keys);
    } catch (reason) {
      if (known || !(await this.#keys.renew(parts.claims))) throw reason;
      await prove(token, parts, await this.#keys.for(parts.claims));
    }
    return parts.claims;
  }

  close(): void {
    this.#keys.close();
  }
}

/**
 * A token taken apart. Nothing of it is true before its signature was verified.
 * @throws SlimError `identity-rejected`
 */
export function readToken(token: string): UnverifiedToken {
  const [header = '', claims = '', ...rest] = token.split('.');
  const parsed = parse(header);
  if (!parsed || rest.length !== 1) throw malformed();
  const payload = parse(claims);
  if (payload) return { header: parsed, claims: payload };
  throw rejected('the claims in the token are not a JSON object');
}

/** Tries one key after the other; only a signature that does not match moves on to the next. */
async function prove(
  token: string,
  { header }: UnverifiedToken,
  keys: readonly LoadedKey[],
): Promise<void> {
  const { compactVerify, errors }: typeof Jose = await import('jose');
  for (const { key, algorithm } of candidates(header, keys)) {
    try {
      await compactVerify(token, key, { algorithms: [algorithm] });
      return;
    } catch (reason) {
      if (!(reason instanceof errors.JWSSignatureVerificationFailed)) throw malformed();
    }
  }
  throw rejected('the signature of the token does not match');
}

/**
 * The keys that the header names, else all, as far as the token has the key's own algorithm: the
 * header chooses among pairs of key and algorithm and never makes one (reference: identity 7.3).
 */
function candidates(
  { alg, kid }: UnverifiedToken['header'],
  all: readonly LoadedKey[],
): readonly LoadedKey[] {
  const named = all.filter(({ keyId }) => keyId !== undefined && keyId === kid);
  const keys = named.length > 0 ? named : all;
  const fitting = keys.filter(({ algorithm }) => algorithm === alg);
  if (fitting.length > 0) return fitting;
  const expected = [...new Set(keys.map(({ algorithm }) => algorithm))].join(', ');
  throw rejected(`the token is not signed with ${expected}`);
}

function parse(part: string): Record<string, unknown> | undefined {
  const bytes = fromBase64Url(part);
  if (!bytes) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

// Without the reason as its cause, which might quote the token.
function malformed(): Error {
  return rejected('the token is malformed');
}
