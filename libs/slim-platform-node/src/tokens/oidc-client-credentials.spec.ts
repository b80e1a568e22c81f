import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { oidcClientCredentials, type OidcClientCredentialsOptions } from '@nestjs-slim/core';

interface Asked {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/** What the issuer answers with, by path: a status and a body. */
type Pages = Record<string, readonly [status: number, body: object | string]>;

let server: Server;
let url: string;
let asked: Asked[];
let pages: Pages;

async function read(request: IncomingMessage): Promise<Asked> {
  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  return { path: request.url, authorization: request.headers.authorization, form };
}

beforeEach(async () => {
  asked = [];
  pages = { '/token': [200, { access_token: 'a-token', token_type: 'Bearer', expires_in: 300 }] };
  server = createServer((request, response) => {
    void read(request).then((what) => {
      asked.push(what);
      const [status, body] = pages[request.url ?? ''] ?? [404, 'not here'];
      response.writeHead(status, status === 302 ? { location: '/token' } : {});
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});

afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

const clientSecret = 'do not show: this';

const source = (options: Partial<OidcClientCredentialsOptions> = {}) =>
  oidcClientCredentials({
    ...(options.issuer === undefined && { tokenUrl: `${url}/token` }),
    clientId: 'billing:1',
    clientSecret,
    ...options,
  });

async function refusal(options: Partial<OidcClientCredentialsOptions> = {}): Promise<unknown> {
  try {
    await source(options).token();
    return 'it gave a token';
  } catch (reason) {
    return reason;
  }
}

describe('client credentials', () => {
  it('are exchanged for an access token, once for all who ask', async () => {
    const tokens = source({ scope: 'a b', audience: 'https://node.example' });
    expect(await Promise.all([tokens.token(), tokens.token(), tokens.token()])).toStrictEqual(
      Array(3).fill('a-token'),
    );
    expect(tokens.token()).toBe('a-token');
    const account = `billing%3A1:${encodeURIComponent(clientSecret).replaceAll('%20', '+')}`;
    expect(asked).toStrictEqual([
      {
        path: '/token',
        authorization: `Basic ${Buffer.from(account).toString('base64')}`,
        form: { grant_type: 'client_credentials', scope: 'a b', audience: 'https://node.example' },
      },
    ]);
  });

  it('may be sent in the form', async () => {
    await source({ authentication: 'post' }).token();
    expect(asked).toMatchObject([
      { authorization: undefined, form: { client_id: 'billing:1', client_secret: clientSecret } },
    ]);
  });

  it('go where the document of the issuer says', async () => {
    pages['/.well-known/openid-configuration'] = [
      200,
      { issuer: url, token_endpoint: `${url}/token` },
    ];
    expect(await source({ issuer: url }).token()).toBe('a-token');
    expect(asked.map(({ path }) => path)).toStrictEqual([
      '/.well-known/openid-configuration',
      '/token',
    ]);
  });

  it.each([
    ['there is none', [404, ''], 'has no token_endpoint'],
    ['it names none', [200, {}], 'has no token_endpoint'],
    ['it is not https', [200, { token_endpoint: 'http://x.example/' }], 'to be https'],
    ['it is of another', [200, { issuer: 'https://x.example' }], 'of another issuer'],
  ] as const)('go nowhere when of that document %s', async (_what, [status, page], why) => {
    const body = typeof page === 'string' ? page : { issuer: url, ...page };
    pages['/.well-known/openid-configuration'] = [status, body];
    expect(await refusal({ issuer: url })).toMatchObject({
      message: expect.stringContaining(why),
    });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [401, { error: 'invalid_client' }, 'refused the client billing:1: invalid_client'],
    [400, { error: clientSecret }, 'refused the client billing:1: 400'],
    [401, 'no', 'refused the client billing:1: 401'],
  ])('that the issuer refuses with %i %j are said to be', async (status, body, why) => {
    pages['/token'] = [status, body];
    expect(await refusal()).toMatchObject({
      code: 'identity-rejected',
      message: `${url}/token ${why}`,
    });
  });

  it.each([
    [503, 'down', 'answered HTTP 503 without an access_token'],
    [200, {}, 'answered HTTP 200 without an access_token'],
    [200, { access_token: 7 }, 'answered HTTP 200 without an access_token'],
    [302, '', 'unexpected redirect'],
  ])('have no effect when the issuer answers %i %j', async (status, body, why) => {
    pages['/token'] = [status, body];
    expect(await refusal()).toMatchObject({
      code: 'link-failed',
      message: `${url}/token: ${why}`,
    });
  });

  it('have no effect when nobody is there', async () => {
    const failure = await refusal({ tokenUrl: 'http://127.0.0.1:9/token' });
    expect(failure).toMatchObject({ code: 'link-failed' });
    expect(String((failure as Error).stack)).not.toContain(clientSecret);
  });

  it.each([
    [{ tokenUrl: undefined }, 'expected either an issuer or a tokenUrl'],
    [{ issuer: 'https://a.example', tokenUrl: 'https://a.example' }, 'expected either an issuer'],
    [{ tokenUrl: 'http://a.example/token' }, 'expected the tokenUrl to be https'],
    [{ clientId: '' }, 'expected the clientId'],
    [{ clientSecret: undefined }, 'expected the clientSecret'],
  ])('are refused when they are %j', (changed, why) => {
    expect(() => source(changed as object)).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(why) }),
    );
  });
});
