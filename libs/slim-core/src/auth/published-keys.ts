import { SlimError } from '../errors/slim-error.js';
import type { KeyOrigin } from './cached-keys.js';
import { loadPublished, type JwtAlgorithm, type LoadedKey } from './jwt-keys.js';
import { failed, type Json, type WebClient } from './web-request.js';

/** A key set at a URL. */
export class KeysAtUrl implements KeyOrigin {
  readonly #web: WebClient;
  readonly #url: string;
  readonly #algorithm: JwtAlgorithm | undefined;

  constructor(web: WebClient, url: string, algorithm?: JwtAlgorithm) {
    this.#web = web;
    this.#url = url;
    this.#algorithm = algorithm;
  }

  async load(): Promise<readonly LoadedKey[]> {
    return fetchKeys(this.#web, this.#url, this.#algorithm);
  }

  close(): void {
    this.#web.close();
  }
}

/**
 * The key set of an issuer, found by OpenID Connect discovery or, when the issuer has no such document, at
 * `.well-known/jwks.json` (reference: identity 7.3, with the checks of the newer source).
 */
export class KeysOfIssuer implements KeyOrigin {
  readonly #web: WebClient;
  readonly #issuer: string;
  readonly #algorithm: JwtAlgorithm | undefined;

  constructor(web: WebClient, issuer: string, algorithm?: JwtAlgorithm) {
    this.#web = web;
    this.#issuer = issuer;
    this.#algorithm = algorithm;
  }

  async load(): Promise<readonly LoadedKey[]> {
    const document = await discover(this.#web, this.#issuer);
    const url = document ? keySetUrl(document, this.#issuer) : wellKnown(this.#issuer, 'jwks.json');
    return fetchKeys(this.#web, url, this.#algorithm);
  }

  close(): void {
    this.#web.close();
  }
}

/**
 * What an issuer says of itself; undefined when it has no such document.
 * @throws SlimError `link-failed`
 */
export async function discover(web: WebClient, issuer: string): Promise<Json | undefined> {
  const url = wellKnown(issuer, 'openid-configuration');
  const { status, json } = await web.json({ url });
  if (status !== 200 || !json) return undefined;
  if (typeof json.issuer === 'string' && trimmed(json.issuer) === trimmed(issuer)) return json;
  throw failed(url, 'the document is of another issuer');
}

/** Elsewhere than at the issuer's own place, anybody who can write its document could vouch for it. */
function keySetUrl({ jwks_uri: url }: Json, issuer: string): string {
  const { origin } = new URL(issuer);
  if (typeof url === 'string' && URL.canParse(url) && new URL(url).origin === origin) return url;
  throw failed(issuer, 'its document has no jwks_uri of the same scheme, host and port');
}

async function fetchKeys(
  web: WebClient,
  url: string,
  algorithm: JwtAlgorithm | undefined,
): Promise<readonly LoadedKey[]> {
  const { status, json } = await web.json({ url });
  if (status !== 200 || !json) throw failed(url, `answered HTTP ${status} without a key set`);
  try {
    return await loadPublished(json, algorithm);
  } catch (reason) {
    throw failed(url, SlimError.from(reason, 'invalid-config').message, { cause: reason });
  }
}

function wellKnown(issuer: string, what: string): string {
  return `${trimmed(issuer)}/.well-known/${what}`;
}

/** An issuer is the same with and without a slash at its end. */
function trimmed(issuer: string): string {
  return issuer.replace(/\/$/, '');
}
