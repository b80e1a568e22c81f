import { SlimError } from '../errors/slim-error.js';
import type { Clock } from '../clock/clock.js';
import type { Crypto, SigningKeyPair } from '../crypto/crypto.js';
import { fromBase64Url, toBase64, toBase64Url } from './base64.js';
import { isRecord, publicKeyOf, rejected } from './claims.js';
import type {
  Identity,
  IdentityContext,
  IdentityPair,
  IdentityProvider,
  IdentityVerifier,
  KeptIdentity,
} from './identity.js';

/** How applications of one deployment prove that they know its secret. */
export interface SharedSecretOptions {
  /** At least 32 bytes of UTF-8. */
  readonly secret: string;
  /** Base of the token id; the application's name unless given. No colon, no white space. */
  readonly id?: string;
}

const minSecretBytes = 32;
const validityMs = 3_600_000;
const futureToleranceMs = 5_000;
/** A token may be presented again, so one is used for some messages; minting costs an HMAC. */
const tokenReuseMs = 5_000;

/**
 * Identity by a secret that all members share (reference: identity 2). It proves membership, not the
 * right to a particular name.
 * @throws SlimError `invalid-config` when the secret is short or the id is malformed.
 */
export function sharedSecret({
  secret,
  id,
}: SharedSecretOptions): (context: IdentityContext) => IdentityPair {
  const key = new TextEncoder().encode(secret);
  if (key.length < minSecretBytes) {
    throw new SlimError(
      'invalid-config',
      `expected a secret of at least ${minSecretBytes} bytes, got ${key.length}`,
    );
  }
  if (id !== undefined && !/^[^\s:]+$/.test(id)) {
    throw new SlimError('invalid-config', `expected an id without colon or space, got "${id}"`);
  }
  return ({ name, crypto, clock, recall }) => {
    // A name may hold spaces and colons, a token id may not.
    const base = id ?? name.service.replaceAll(/[\s:]/g, '_');
    const known = recall?.(key);
    if (known && known.tokenId.replace(randomEnd, '') !== base) {
      const whose = `the store is of "${known.tokenId}", which is not made from "${base}"`;
      throw new SlimError('store-failed', whose);
    }
    const own = known ?? {
      keys: crypto.signingKeyPair(),
      tokenId: `${base}_${randomSuffix(crypto)}`,
    };
    return {
      provider: new SharedSecretProvider(key, own, crypto, clock),
      verifier: new SharedSecretVerifier(key, crypto, clock),
    };
  };
}

class SharedSecretProvider implements IdentityProvider {
  readonly tokenId: string;
  readonly keys: SigningKeyPair;
  readonly #key: Uint8Array;
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #claims: string;
  #current: { readonly token: string; readonly mintedAtMs: number } | undefined;

  constructor(key: Uint8Array, { tokenId, keys }: KeptIdentity, crypto: Crypto, clock: Clock) {
    this.#key = key;
    this.#crypto = crypto;
    this.#clock = clock;
    this.keys = keys;
    this.tokenId = tokenId;
    const claims = JSON.stringify({ pubkey: toBase64(this.keys.publicKey) });
    this.#claims = toBase64Url(new TextEncoder().encode(claims));
  }

  token(): string {
    const now = this.#clock.now();
    const age = this.#current ? now - this.#current.mintedAtMs : Infinity;
    // A clock set back makes the age negative: a token from the future would be refused.
    if (!this.#current || age < 0 || age >= tokenReuseMs) {
      this.#current = { token: this.#mint(now), mintedAtMs: now };
    }
    return this.#current.token;
  }

  #mint(now: number): string {
    const seconds = Math.floor(now / 1000);
    const nonce = toBase64Url(this.#crypto.random(12));
    const signed = `${this.tokenId}:${seconds}:${nonce}:${this.#claims}`;
    const mac = this.#crypto.hmacSha256(this.#key, new TextEncoder().encode(signed));
    return `${signed}:${toBase64Url(mac)}`;
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function randomSuffix(crypto: Crypto): string {
  let suffix = '';
  while (suffix.length < 8) {
    // Six bits; the two values beyond the alphabet give no character and are drawn again.
    const [byte = 0] = crypto.random(1);
    suffix += alphabet.charAt(byte & 0x3f);
  }
  return suffix;
}

/** Verified tokens that are kept, so that a burst of messages costs one HMAC. */
const maxCached = 1024;

class SharedSecretVerifier implements IdentityVerifier {
  readonly #key: Uint8Array;
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #authentic = new Map<string, Identity>();

  constructor(key: Uint8Array, crypto: Crypto, clock: Clock) {
    this.#key = key;
    this.#crypto = crypto;
    this.#clock = clock;
  }

  verify(token: string): Identity {
    const cached = this.#authentic.get(token);
    const seconds = cached ? cached.issuedAtMs / 1000 : parse(token).seconds;
    this.#checkAge(seconds);
    return cached ?? this.verifyCredential(token);
  }

  verifyCredential(token: string): Identity {
    const cached = this.#authentic.get(token);
    if (cached) return cached;
    const { signed, id, seconds, claims, mac } = parse(token);
    const expected = this.#crypto.hmacSha256(this.#key, new TextEncoder().encode(signed));
    if (!this.#crypto.equal(expected, mac)) throw rejected('the identity proof does not match');
    const identity = toIdentity(id, seconds, parseClaims(claims));
    if (this.#authentic.size >= maxCached) this.#authentic.clear();
    this.#authentic.set(token, identity);
    return identity;
  }

  #checkAge(seconds: number): void {
    const ageMs = Math.floor(this.#clock.now() / 1000) * 1000 - seconds * 1000;
    if (ageMs > validityMs) throw rejected(`the identity token is ${ageMs / 1000} s old`);
    if (ageMs < -futureToleranceMs) {
      throw rejected(`the identity token is from ${-ageMs / 1000} s in the future`);
    }
  }
}

interface ParsedToken {
  readonly signed: string;
  readonly id: string;
  readonly seconds: number;
  readonly claims: string;
  readonly mac: Uint8Array;
}

/** Splits a token into its fields, in the order of checks of the official verifier. */
function parse(token: string): ParsedToken {
  const fields = token.split(':');
  const [id, timestamp, nonce, claims, macText] = fields;
  if (
    fields.length !== 5 ||
    id === undefined ||
    timestamp === undefined ||
    nonce === undefined ||
    claims === undefined ||
    macText === undefined
  ) {
    throw rejected(`the identity token has ${fields.length} fields, expected 5`);
  }
  if (!/^\+?\d{1,15}$/.test(timestamp))
    throw rejected('the time in the identity token is malformed');
  const mac = macText.length === 43 ? fromBase64Url(macText) : undefined;
  if (!mac) throw rejected('the proof in the identity token is malformed');
  return {
    signed: token.slice(0, -macText.length - 1),
    id,
    seconds: Number(timestamp),
    claims,
    mac,
  };
}

function parseClaims(text: string): Readonly<Record<string, unknown>> {
  const bytes = fromBase64Url(text);
  if (!bytes) throw rejected('the claims in the identity token are not base64url');
  try {
    const claims: unknown = text === '' ? {} : JSON.parse(new TextDecoder().decode(bytes));
    if (isRecord(claims)) return claims;
  } catch {
    // Falls through: text that is no JSON is refused like JSON that is no object.
  }
  throw rejected('the claims in the identity token are not a JSON object');
}

function toIdentity(
  subject: string,
  seconds: number,
  custom: Readonly<Record<string, unknown>>,
): Identity {
  const issuedAtMs = seconds * 1000;
  const expiresAtMs = issuedAtMs + validityMs;
  const claims = {
    sub: subject,
    iat: seconds,
    exp: expiresAtMs / 1000,
    custom_claims: custom,
  };
  const principal = subject.replace(randomEnd, '');
  return { subject, principal, publicKey: publicKeyOf(claims), issuedAtMs, expiresAtMs, claims };
}

/** What makes the id of a token one of its application object (reference: identity 2.1). */
const randomEnd = /_[A-Za-z0-9]{8}$/;
