import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { SlimError } from '../errors/slim-error.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { jwtSignatures } from './jwt-tools.js';
import type { JwtVerificationKey } from './key-source.js';
import type { Fetch } from './web-request.js';

const pairs = {
  old: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  new: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
type Which = keyof typeof pairs;
const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid });
const keySet = (...which: Which[]) => ({
  keys: which.map((kid) => jwk(pairs[kid].publicKey, kid)),
});

const issuer = 'https://iss.example';
const jwksUrl = 'https://iss.example/keys';

function mint(which: Which, { kid = which as string | undefined, iss = issuer } = {}) {
  const header = { alg: 'ES256', ...(kid !== undefined && { kid }) };
  return new SignJWT({ iss }).setProtectedHeader(header).sign(pairs[which].privateKey);
}

/** A web of pages that can be changed, with every request to it. */
function web(pages: Record<string, unknown>) {
  const asked: string[] = [];
  const fetch: Fetch = (url) => {
    asked.push(url);
    const page = pages[url];
    if (page instanceof Error) return Promise.reject(page);
    const status = typeof page === 'number' ? page : 200;
    return Promise.resolve(
      page === undefined
        ? new Response('not here', { status: 404 })
        : new Response(JSON.stringify(page), { status }),
    );
  };
  return { asked, fetch, pages };
}

function open(source: JwtVerificationKey) {
  const clock = new ManualClock();
  return { clock, signatures: jwtSignatures(source, clock) };
}

const refused = (message: string) => ({
  code: 'identity-rejected',
  message: expect.stringContaining(message),
});

describe('a key set at a URL', () => {
  it('is asked for when it is needed first, once for all who need it, and kept for an hour', async () => {
    const { asked, fetch } = web({ [jwksUrl]: keySet('old') });
    const { clock, signatures } = open({ jwksUrl, fetch });
    await signatures.ready();
    expect(asked).toStrictEqual([]);
    const token = await mint('old');
    const claims = await Promise.all([1, 2, 3].map(() => signatures.open(token)));
    expect(claims).toStrictEqual([{ iss: issuer }, { iss: issuer }, { iss: issuer }]);
    clock.advance(3_599_999);
    await signatures.open(token);
    expect(asked).toStrictEqual([jwksUrl]);
    clock.advance(1);
    await signatures.open(token);
    expect(asked).toStrictEqual([jwksUrl, jwksUrl]);
    expect(clock.pending).toBe(0);
  });

  it('is asked for again when a token names a key that is not in it, but not more than every 30 s', async () => {
    const { asked, fetch, pages } = web({ [jwksUrl]: keySet('old') });
    const { clock, signatures } = open({ jwksUrl, fetch });
    await signatures.open(await mint('old'));
    pages[jwksUrl] = keySet('new');
    const token = await mint('new');
    await expect(signatures.open(token)).rejects.toMatchObject(refused('does not match'));
    clock.advance(29_999);
    await expect(signatures.open(token)).rejects.toMatchObject(refused('does not match'));
    expect(asked).toHaveLength(1);
    clock.advance(1);
    expect(await signatures.open(token)).toStrictEqual({ iss: issuer });
    expect(asked).toHaveLength(2);
  });

  it('is not asked for again for a wrong signature of a key that is in it', async () => {
    const { asked, fetch } = web({ [jwksUrl]: keySet('old', 'new') });
    const { clock, signatures } = open({ jwksUrl, fetch });
    await signatures.open(await mint('old'));
    clock.advance(60_000);
    const forged = await mint('new', { kid: 'old' });
    await expect(signatures.open(forged)).rejects.toMatchObject(refused('does not match'));
    expect(asked).toHaveLength(1);
  });

  it('forgets a key that is not published any more after an hour', async () => {
    const { fetch, pages } = web({ [jwksUrl]: keySet('old', 'new') });
    const { clock, signatures } = open({ jwksUrl, fetch });
    await signatures.open(await mint('old'));
    pages[jwksUrl] = keySet('new');
    clock.advance(3_600_000);
    await expect(signatures.open(await mint('old'))).rejects.toMatchObject(
      refused('does not match'),
    );
  });

  it.each([
    ['an error', 503],
    ['what is no key set', { keys: 'none' }],
    ['no key of use', { keys: [{ kty: 'new' }] }],
    ['nothing', new TypeError('fetch failed')],
  ])('keeps the old keys when it answers with %s', async (_what, page) => {
    const { asked, fetch, pages } = web({ [jwksUrl]: keySet('old') });
    const { clock, signatures } = open({ jwksUrl, fetch });
    const token = await mint('old');
    await signatures.open(token);
    pages[jwksUrl] = page;
    clock.advance(3_600_000);
    for (let count = 0; count < 3; count += 1) await signatures.open(token);
    expect(asked).toHaveLength(2);
    clock.advance(30_000);
    await signatures.open(token);
    expect(asked).toHaveLength(3);
  });

  it('says what is wrong while there were never any keys', async () => {
    const { fetch, pages } = web({ [jwksUrl]: 503 });
    const { clock, signatures } = open({ jwksUrl, fetch });
    const failure = {
      code: 'link-failed',
      message: `${jwksUrl}: answered HTTP 503 without a key set`,
    };
    const token = await mint('old');
    await expect(signatures.open(token)).rejects.toMatchObject(failure);
    await expect(signatures.open(token)).rejects.toMatchObject(failure);
    pages[jwksUrl] = keySet('old');
    clock.advance(30_000);
    expect(await signatures.open(token)).toStrictEqual({ iss: issuer });
  });

  it('does not lose a good key beside one that cannot be imported', async () => {
    const broken = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'broken' };
    const { fetch } = web({ [jwksUrl]: { keys: [broken, ...keySet('old').keys] } });
    const { signatures } = open({ jwksUrl, fetch });
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
  });

  it.each([
    ['a secret for an algorithm of pairs', { kty: 'oct', k: 'AAAA' }],
    ['an algorithm of another kind of key', { kty: 'RSA', alg: 'HS256', n: 'AA', e: 'AQAB' }],
    ['a private key', jwk(pairs.new.privateKey, 'new')],
  ])('does not lose a good key beside %s', async (_what, odd) => {
    const { fetch } = web({ [jwksUrl]: { keys: [odd, ...keySet('old').keys] } });
    const { signatures } = open({ jwksUrl, fetch, algorithm: 'ES256' });
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
  });

  it.each([
    ['no key set', {}, 'expected the JWKS to have an array of keys'],
    ['no key of use', { keys: [{ kty: 'new' }] }, 'expected the JWKS to have a key for one of'],
    [
      'no key that can be read',
      { keys: [jwk(pairs.old.privateKey, 'old')] },
      'expected the JWKS to have a well-formed key',
    ],
  ])('cannot be had while it answers with %s', async (_what, page, why) => {
    const { signatures } = open({ jwksUrl, fetch: web({ [jwksUrl]: page }).fetch });
    await expect(signatures.open(await mint('old'))).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringContaining(`${jwksUrl}: ${why}`),
    });
  });

  it('is given up when it is closed', async () => {
    const fetch: Fetch = () => new Promise<never>(() => undefined);
    const { clock, signatures } = open({ jwksUrl, fetch });
    const opening = signatures.open(await mint('old'));
    await turns();
    signatures.close();
    signatures.close();
    await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.pending).toBe(0);
  });
});

describe('the keys of issuers', () => {
  const discovery = `${issuer}/.well-known/openid-configuration`;
  const document = { issuer, jwks_uri: jwksUrl };

  it('are found by discovery', async () => {
    const { asked, fetch } = web({ [discovery]: document, [jwksUrl]: keySet('old') });
    const { signatures } = open({ issuers: [issuer], fetch });
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
    expect(asked).toStrictEqual([discovery, jwksUrl]);
  });

  it('are found at their well-known place where there is no document', async () => {
    const { asked, fetch } = web({ [`${issuer}/.well-known/jwks.json`]: keySet('old') });
    const { signatures } = open({ issuers: [issuer], fetch });
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
    expect(asked).toHaveLength(2);
  });

  it('may be of an issuer whose document writes it with a slash at the end', async () => {
    const pages = { [discovery]: { ...document, issuer: `${issuer}/` }, [jwksUrl]: keySet('old') };
    const { signatures } = open({ issuers: [issuer], fetch: web(pages).fetch });
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
  });

  it.each([
    ['of another issuer', { ...document, issuer: 'https://x.example' }, 'of another issuer'],
    ['without an issuer', { jwks_uri: jwksUrl }, 'of another issuer'],
    ['without a place of keys', { issuer }, 'no jwks_uri'],
    ['with keys elsewhere', { issuer, jwks_uri: 'https://x.example/keys' }, 'no jwks_uri'],
    ['with keys at another port', { issuer, jwks_uri: `${issuer}:8443/keys` }, 'no jwks_uri'],
    ['with keys over http', { issuer, jwks_uri: 'http://iss.example/keys' }, 'no jwks_uri'],
  ])('are not taken from a document %s', async (_what, page, why) => {
    const { asked, fetch } = web({ [discovery]: page, [jwksUrl]: keySet('old') });
    const { signatures } = open({ issuers: [issuer], fetch });
    await expect(signatures.open(await mint('old'))).rejects.toMatchObject({
      code: 'link-failed',
      message: expect.stringContaining(why),
    });
    expect(asked).toStrictEqual([discovery]);
  });

  it('are asked of configured issuers only', async () => {
    const { asked, fetch } = web({});
    const { signatures } = open({ issuers: [issuer], fetch });
    const token = await mint('old', { iss: 'https://x.example' });
    await expect(signatures.open(token)).rejects.toMatchObject(refused(`another issuer than`));
    expect(asked).toStrictEqual([]);
  });

  it('verify tokens of their own issuer only', async () => {
    const other = 'https://other.example';
    const place = '/.well-known/jwks.json';
    const pages = { [issuer + place]: keySet('old'), [other + place]: keySet('new') };
    const { signatures } = open({ issuers: [issuer, other], fetch: web(pages).fetch });
    expect(await signatures.open(await mint('new', { iss: other }))).toStrictEqual({ iss: other });
    const forged = await mint('new', { iss: issuer });
    await expect(signatures.open(forged)).rejects.toMatchObject(refused('does not match'));
  });
});

describe('a key set in a text that changes', () => {
  function text(first: string) {
    let now = first;
    const listeners = new Set<() => void>();
    const source = {
      text: () => (now === 'gone' ? Promise.reject(new SlimError('invalid-config', 'gone')) : now),
      onChange: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const write = (next: string) => {
      now = next;
      for (const listener of listeners) listener();
    };
    return { source, listeners, write };
  }

  it('is read again when it changes, and stays when that fails', async () => {
    const { source, listeners, write } = text(JSON.stringify(keySet('old')));
    const errors: SlimError[] = [];
    let heard = (): void => undefined;
    const onError = (reason: SlimError) => {
      errors.push(reason);
      heard();
    };
    const { signatures } = open({ jwksFrom: source, onError });
    await signatures.ready();
    expect(listeners.size).toBe(1);
    for (const broken of ['{', 'gone']) {
      const told = new Promise<void>((resolve) => (heard = resolve));
      write(broken);
      await told;
    }
    expect(await signatures.open(await mint('old'))).toStrictEqual({ iss: issuer });
    expect(errors.map(({ code, message }) => ({ code, message }))).toStrictEqual([
      { code: 'invalid-config', message: 'expected the JWKS to be an object or its JSON text' },
      { code: 'invalid-config', message: 'gone' },
    ]);
    write(JSON.stringify(keySet('new')));
    const token = await mint('new');
    const opened = () => signatures.open(token).catch(() => undefined);
    // Importing a key is work of the platform, of whose end nobody is told.
    while (!(await opened())) await new Promise((resolve) => setImmediate(resolve));
    await expect(signatures.open(await mint('old'))).rejects.toMatchObject(
      refused('does not match'),
    );
    signatures.close();
    await signatures.ready();
    expect(listeners.size).toBe(0);
  });

  it('has to be good at first, and is tried again for the next token', async () => {
    const { source, listeners, write } = text('{}');
    const { signatures } = open({ jwksFrom: source });
    await expect(signatures.ready()).rejects.toMatchObject({ code: 'invalid-config' });
    expect(listeners.size).toBe(0);
    write(JSON.stringify(keySet('old')));
    await signatures.ready();
    expect(listeners.size).toBe(1);
  });
});

describe('a description of keys', () => {
  it.each([
    [{ jwksUrl: 'http://iss.example/keys' }, 'expected the jwksUrl to be https'],
    [{ jwksUrl: 7 }, 'expected the jwksUrl to be a URL'],
    [{ issuers: [] }, 'expected the issuers to be a list'],
    [{ issuers: issuer }, 'expected the issuers to be a list'],
    [{ issuers: ['iss.example'] }, 'expected an issuer to be a URL'],
    [undefined, 'expected a verification key as'],
  ])('is refused when it is %j', (source, why) => {
    expect(() => jwtSignatures(source as unknown as JwtVerificationKey)).toThrow(
      expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(why) }),
    );
  });
});
