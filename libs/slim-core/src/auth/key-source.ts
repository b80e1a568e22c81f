import type { Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { CachedKeys, type KeyOrigin } from './cached-keys.js';
import { FedKeys, type TextSource } from './fed-keys.js';
import { loadPublished, parseKeys } from './jwt-keys.js';
import type { JwtAlgorithm, JwtKey, JwtKeySet } from './jwt-keys.js';
import { KeysAtUrl, KeysOfIssuer } from './published-keys.js';
import { FixedKeys, KeysByAuthority, type VerificationKeys } from './verification-keys.js';
import { checkUrl, WebClient, type WebOptions } from './web-request.js';

/**
 * A key set at a URL. It is asked for when it is needed and kept for an hour; a token with a key that is
 * not in it has it asked for again, every 30 s at most. `algorithm` is for keys that name none.
 */
export interface JwtKeyUrl extends WebOptions {
  readonly jwksUrl: string;
  readonly algorithm?: JwtAlgorithm;
}

/**
 * The key sets of these issuers, each for tokens that name it as `iss`: found by OpenID Connect discovery,
 * else at `.well-known/jwks.json`. Otherwise like a key set at a URL.
 */
export interface JwtIssuers extends WebOptions {
  readonly issuers: readonly string[];
  readonly algorithm?: JwtAlgorithm;
}

/** A key set in a text that others change, such as `watchedFile(path)`; a broken one leaves the old keys. */
export interface JwtKeyText {
  readonly jwksFrom: TextSource;
  readonly algorithm?: JwtAlgorithm;
  /** Hears of a text that could not be read. */
  readonly onError?: (reason: SlimError) => void;
}

/** Where the keys come from that verify tokens. */
export type JwtVerificationKey = JwtKey | JwtKeySet | JwtKeyUrl | JwtIssuers | JwtKeyText;

/** Makes keys ready whose description was found good. @throws SlimError `invalid-config` */
export type KeyOpener = (clock: Clock) => Promise<VerificationKeys>;

/** @throws SlimError `invalid-config` that says what was expected and shows nothing of a key */
export function parseVerificationKey(source: JwtVerificationKey): KeyOpener {
  if (typeof source === 'object' && source !== null) {
    if ('jwksUrl' in source) return parseUrl(source);
    if ('issuers' in source) return parseIssuers(source);
    if ('jwksFrom' in source) return parseText(source);
  }
  const loaders = parseKeys(source);
  return async () => new FixedKeys(await Promise.all(loaders.map((load) => load())));
}

function parseUrl({ jwksUrl, algorithm, ...web }: JwtKeyUrl): KeyOpener {
  const { href } = checkUrl(jwksUrl, 'the jwksUrl', web);
  return cached(web, (client) => new KeysAtUrl(client, href, algorithm));
}

function parseIssuers({ issuers, algorithm, ...web }: JwtIssuers): KeyOpener {
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw new SlimError('invalid-config', 'expected the issuers to be a list that is not empty');
  }
  const openers = (issuers as readonly string[]).map((issuer) => {
    checkUrl(issuer, 'an issuer', web);
    return [issuer, cached(web, (client) => new KeysOfIssuer(client, issuer, algorithm))] as const;
  });
  return (clock) => openAll(openers, issuerOf, clock);
}

function parseText({ jwksFrom, algorithm, onError }: JwtKeyText): KeyOpener {
  const load = (text: string) => loadPublished(text, algorithm);
  return () => FedKeys.open({ source: jwksFrom, load, ...(onError && { onError }) });
}

/**
 * Keys by the authority that a token names.
 * @throws SlimError what opening one of them threw
 */
export async function openAll(
  openers: readonly (readonly [authority: string, KeyOpener])[],
  authorityOf: ConstructorParameters<typeof KeysByAuthority>[0],
  clock: Clock,
): Promise<VerificationKeys> {
  const opened = new Map<string, VerificationKeys>();
  const keys = new KeysByAuthority(authorityOf, opened);
  try {
    for (const [authority, open] of openers) opened.set(authority, await open(clock));
  } catch (reason) {
    keys.close();
    throw reason;
  }
  return keys;
}

function cached(web: WebOptions, originOf: (client: WebClient) => KeyOrigin): KeyOpener {
  return (clock) => Promise.resolve(new CachedKeys(originOf(new WebClient(web, clock)), clock));
}

function issuerOf({ iss }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof iss === 'string' ? iss : undefined;
}
