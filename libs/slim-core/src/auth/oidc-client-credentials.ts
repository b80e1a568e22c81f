import { systemClock, type Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { toBase64 } from './base64.js';
import { discover } from './published-keys.js';
import { RenewedToken, type Grant } from './renewed-token.js';
import type { TokenSource } from './token-source.js';
import { checkUrl, failed, WebClient, type JsonAnswer, type WebOptions } from './web-request.js';

/** Whom to ask for access tokens, and as whom. */
export interface OidcClientCredentialsOptions extends WebOptions {
  /** Its discovery document names the token endpoint. One of `issuer` and `tokenUrl` is needed. */
  readonly issuer?: string;
  readonly tokenUrl?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
  /** What the token is to be for, at issuers that want to be told. */
  readonly audience?: string;
  /** How id and secret are sent: `basic`, which every issuer takes by the standard, or `post`. */
  readonly authentication?: 'basic' | 'post';
  readonly clock?: Clock;
}

/**
 * Access tokens by the client credentials grant of OAuth 2 (RFC 6749, 4.4). A token is kept until shortly
 * before it expires, and renewed while the old one is still in use. `token()` throws `link-failed` when the
 * issuer does not answer and `identity-rejected` when it refuses the client.
 * @throws SlimError `invalid-config`
 */
export function oidcClientCredentials(options: OidcClientCredentialsOptions): TokenSource {
  const { issuer, tokenUrl, clientId, clientSecret, clock = systemClock } = options;
  if ((issuer === undefined) === (tokenUrl === undefined)) {
    throw new SlimError('invalid-config', 'expected either an issuer or a tokenUrl');
  }
  checkUrl(issuer ?? tokenUrl, issuer === undefined ? 'the tokenUrl' : 'the issuer', options);
  for (const [what, text] of Object.entries({ clientId, clientSecret })) {
    if (typeof text === 'string' && text !== '') continue;
    throw new SlimError('invalid-config', `expected the ${what} to be a text that is not empty`);
  }
  const web = new WebClient(options, clock);
  const endpoint = new TokenEndpoint(web, options);
  return new RenewedToken(() => endpoint.ask(), { clock, close: () => web.close() });
}

/** What a token is good for when its issuer does not say. */
const defaultLifeS = 300;

class TokenEndpoint {
  readonly #web: WebClient;
  readonly #options: OidcClientCredentialsOptions;
  #url: string | undefined;

  constructor(web: WebClient, options: OidcClientCredentialsOptions) {
    this.#web = web;
    this.#options = options;
    this.#url = options.tokenUrl;
  }

  async ask(): Promise<Grant> {
    const url = (this.#url ??= await this.#discover(this.#options.issuer ?? ''));
    const { clientId, clientSecret, scope, audience, authentication } = this.#options;
    const isPost = authentication === 'post';
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope !== undefined && { scope }),
      ...(audience !== undefined && { audience }),
      ...(isPost && { client_id: clientId, client_secret: clientSecret }),
    });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(!isPost && { authorization: basic(clientId, clientSecret) }),
    };
    return this.#read(url, await this.#web.json({ url, headers, body: form.toString() }));
  }

  async #discover(issuer: string): Promise<string> {
    const document = await discover(this.#web, issuer);
    const url = document?.token_endpoint;
    if (typeof url !== 'string') throw failed(issuer, 'its document has no token_endpoint');
    return checkUrl(url, `the token_endpoint of ${issuer}`, this.#options).href;
  }

  #read(url: string, { status, json }: JsonAnswer): Grant {
    if (status === 400 || status === 401) {
      // A code of the standard (RFC 6749, 5.2); anything else might quote what was sent.
      const { error } = json ?? {};
      const why = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : status;
      const message = `${url} refused the client ${this.#options.clientId}: ${why}`;
      throw new SlimError('identity-rejected', message);
    }
    const { access_token: token, expires_in: life = defaultLifeS } = json ?? {};
    if (status !== 200 || typeof token !== 'string' || token === '') {
      throw failed(url, `answered HTTP ${status} without an access_token`);
    }
    const seconds = Number(life);
    return { token, lifeMs: (seconds >= 1 ? seconds : defaultLifeS) * 1000 };
  }
}

/** Both parts are encoded as in a form first (RFC 6749, 2.3.1). */
function basic(clientId: string, clientSecret: string): string {
  const [id, secret] = [clientId, clientSecret].map((text) =>
    new URLSearchParams({ '': text }).toString().slice(1),
  );
  return `Basic ${toBase64(new TextEncoder().encode(`${id}:${secret}`))}`;
}
