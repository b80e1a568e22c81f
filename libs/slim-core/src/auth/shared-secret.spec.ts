import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { SlimName } from '../names/slim-name.js';
import { ManualClock } from '../testing/manual-clock.js';
import { fromBase64Url, toBase64, toBase64Url } from './base64.js';
import type { Identity } from './identity.js';
import { sharedSecret, type SharedSecretOptions } from './shared-secret.js';

const secret = 'a secret of the tests of this file';
const publicKey = Uint8Array.of(4, ...new Uint8Array(64).fill(7));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function setup(options: Partial<SharedSecretOptions> = {}, name = 'org/ns/agent') {
  const clock = new ManualClock();
  const source = sharedSecret({ secret, ...options });
  const { provider, verifier } = source({ name: SlimName.parse(name), crypto: nodeCrypto, clock });
  const now = Math.floor(clock.now() / 1000);
  const verify = async (token: string): Promise<Identity> => verifier.verify(token);
  const verifyCredential = async (token: string): Promise<Identity> =>
    verifier.verifyCredential(token);
  return { clock, now, provider, verify, verifyCredential };
}

/** A token written by hand, good but for the given fields. */
function mint(
  fields: {
    readonly id?: string;
    readonly time?: string;
    readonly nonce?: string;
    readonly claims?: string;
    readonly by?: string;
  },
  mac: (bytes: Uint8Array) => string = toBase64Url,
): string {
  const { id = 'org/ns/agent_ABCDEFGH', nonce = 'AAAAAAAAAAAAAAAA', by = secret } = fields;
  const time = fields.time ?? String(Math.floor(new ManualClock().now() / 1000));
  const claims =
    fields.claims ?? toBase64Url(utf8(JSON.stringify({ pubkey: toBase64(publicKey) })));
  const signed = `${id}:${time}:${nonce}:${claims}`;
  return `${signed}:${mac(nodeCrypto.hmacSha256(utf8(by), utf8(signed)))}`;
}

const claimsOf = (json: unknown): string => toBase64Url(utf8(JSON.stringify(json)));
const rejected = expect.objectContaining({ code: 'identity-rejected' });

describe('sharedSecret', () => {
  it('demands 32 bytes, counted in UTF-8', () => {
    const invalid = expect.objectContaining({ code: 'invalid-config' });
    expect(() => sharedSecret({ secret: 'x'.repeat(31) })).toThrow(invalid);
    expect(() => sharedSecret({ secret: 'é'.repeat(15) })).toThrow(invalid);
    expect(() => sharedSecret({ secret: 'é'.repeat(16) })).not.toThrow();
  });

  it('keeps the secret out of its errors', () => {
    expect(() => sharedSecret({ secret: 'a short secret' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('a short secret') }),
    );
  });

  it.each(['', 'a:b', 'a b', 'a\n'])('refuses the id %j', (id) => {
    expect(() => sharedSecret({ secret, id })).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });
});

describe('its provider', () => {
  it('has a token id of the name and eight characters of its own', () => {
    const ids = [setup(), setup()].map(({ provider }) => provider.tokenId);
    for (const id of ids) expect(id).toMatch(/^org\/ns\/agent_[A-Za-z0-9]{8}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('takes another base when one is given', () => {
    expect(setup({ id: 'billing' }).provider.tokenId).toMatch(/^billing_[A-Za-z0-9]{8}$/);
  });

  it('makes an id of a name that holds what an id must not', () => {
    const { provider } = setup({}, 'my org/a:b/agent');
    expect(provider.tokenId).toMatch(/^my_org\/a_b\/agent_/);
  });

  it('writes five fields: id, time, nonce, claims and proof', () => {
    const { provider, now } = setup();
    const [id, time, nonce, claims = '', mac] = provider.token().split(':');
    expect([id, time]).toStrictEqual([provider.tokenId, String(now)]);
    expect([nonce?.length, claims.length, mac?.length]).toStrictEqual([16, 135, 43]);
    const json = new TextDecoder().decode(fromBase64Url(claims));
    expect(json).toBe(`{"pubkey":"${toBase64(provider.keys.publicKey)}"}`);
  });

  it('gives tokens that its verifier takes, with its key', async () => {
    const { provider, verify, now } = setup();
    expect(await verify(provider.token())).toMatchObject({
      subject: provider.tokenId,
      principal: provider.tokenId.slice(0, -9),
      publicKey: provider.keys.publicKey,
      issuedAtMs: now * 1000,
      expiresAtMs: (now + 3600) * 1000,
    });
  });

  it('uses a token for five seconds, then mints another with another nonce', () => {
    const { clock, provider } = setup();
    const first = provider.token();
    clock.advance(4_999);
    expect(provider.token()).toBe(first);
    clock.advance(1);
    const second = provider.token();
    expect(second).not.toBe(first);
    expect(second.split(':')[2]).not.toBe(first.split(':')[2]);
  });

  it('mints another when the clock was set back, or receivers would refuse it', () => {
    const { clock, provider } = setup();
    const first = provider.token();
    clock.advance(-60_000);
    expect(provider.token()).not.toBe(first);
  });
});

// Reference: identity 2.4.
describe('its verifier', () => {
  const at = (seconds: number): string => String(setup().now + seconds);

  it.each([
    { what: 'of one hour', token: mint({ time: at(-3600) }) },
    { what: 'five seconds in the future', token: mint({ time: at(5) }) },
    { what: 'whose time has a plus', token: mint({ time: `+${at(0)}` }) },
    { what: 'whose time has leading zeros', token: mint({ time: `00${at(0)}` }) },
    { what: 'with an empty nonce', token: mint({ nonce: '' }) },
    { what: 'with a nonce that is no base64', token: mint({ nonce: '?! ä' }) },
    { what: 'with an empty id', token: mint({ id: '' }) },
    { what: 'with an id with a space', token: mint({ id: 'some body' }) },
    { what: 'with an id of another name', token: mint({ id: 'x/y/z_ABCDEFGH' }) },
    {
      what: 'with other claims beside the key',
      token: mint({ claims: claimsOf({ role: 'a', pubkey: toBase64(publicKey), n: [1] }) }),
    },
  ])('accepts a token $what', async ({ token }) => {
    await expect(setup().verify(token)).resolves.toMatchObject({ publicKey });
  });

  it.each([
    { what: 'older than an hour', token: mint({ time: at(-3601) }) },
    { what: 'six seconds in the future', token: mint({ time: at(6) }) },
    { what: 'whose time is no integer', token: mint({ time: `${at(0)}.0` }) },
    { what: 'whose time is negative', token: mint({ time: '-1' }) },
    { what: 'whose time is empty', token: mint({ time: '' }) },
    { what: 'whose time is no number', token: mint({ time: 'now' }) },
    { what: 'whose time is no 64-bit number', token: mint({ time: '9'.repeat(30) }) },
    { what: 'with empty claims', token: mint({ claims: '' }) },
    { what: 'without a key', token: mint({ claims: claimsOf({}) }) },
    { what: 'whose key is no text', token: mint({ claims: claimsOf({ pubkey: 7 }) }) },
    { what: 'whose key is no base64', token: mint({ claims: claimsOf({ pubkey: '*' }) }) },
    {
      what: 'whose claims are padded',
      token: mint({ claims: toBase64(utf8('{"pubkey":"BA=="}')) }),
    },
    { what: 'whose claims are no JSON', token: mint({ claims: toBase64Url(utf8('{')) }) },
    { what: 'whose claims are a list', token: mint({ claims: claimsOf(['pubkey']) }) },
    { what: 'whose claims are null', token: mint({ claims: claimsOf(null) }) },
    { what: 'with a padded proof', token: mint({}, toBase64) },
    {
      what: 'with a proof in hex',
      token: mint({}, (bytes) => Buffer.from(bytes).toString('hex')),
    },
    {
      what: 'with a proof in the standard alphabet',
      token: mint({}, () => '+'.repeat(43)),
    },
    { what: 'with a proof of zeros', token: mint({}, () => 'A'.repeat(43)) },
    { what: 'made with another secret', token: mint({ by: `${secret}!` }) },
    { what: 'with a sixth field', token: mint({ id: 'a:b' }) },
    { what: 'with four fields', token: mint({}).split(':').slice(1).join(':') },
    { what: 'that is empty', token: '' },
    { what: 'without any colon', token: 'token' },
  ])('refuses a token $what', async ({ token }) => {
    await expect(setup().verify(token)).rejects.toEqual(rejected);
  });

  it('refuses a token of which one character was changed', async () => {
    const { verify } = setup();
    const token = mint({});
    for (let at = 0; at < token.length; at += 1) {
      const changed = token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1);
      await expect(verify(changed)).rejects.toEqual(rejected);
    }
  });

  it('takes the same token any number of times', async () => {
    const { verify } = setup();
    const token = mint({});
    expect(await verify(token)).toStrictEqual(await verify(token));
  });

  it('refuses a token that grew too old since it was verified', async () => {
    const { clock, verify } = setup();
    const token = mint({});
    await verify(token);
    clock.advance(3_600_000);
    await expect(verify(token)).resolves.toMatchObject({ publicKey });
    clock.advance(1_000);
    await expect(verify(token)).rejects.toEqual(rejected);
  });

  it('judges a credential by its proof and not by its age', async () => {
    const { clock, verifyCredential } = setup();
    const token = mint({ time: at(-1_000_000) });
    await expect(verifyCredential(token)).resolves.toMatchObject({ publicKey });
    clock.advance(1_000_000_000);
    await expect(verifyCredential(token)).resolves.toMatchObject({ publicKey });
    await expect(verifyCredential(mint({ by: `${secret}!` }))).rejects.toEqual(rejected);
  });

  it('does not take an old token for its having been seen as a credential', async () => {
    const { verify, verifyCredential } = setup();
    const token = mint({ time: at(-4_000) });
    await verifyCredential(token);
    await expect(verify(token)).rejects.toEqual(rejected);
  });

  it('gives the claims as the official peer arranges them', async () => {
    const { verify, now } = setup();
    const { claims } = await verify(mint({ id: 'me' }));
    expect(claims).toStrictEqual({
      sub: 'me',
      iat: now,
      exp: now + 3600,
      custom_claims: { pubkey: toBase64(publicKey) },
    });
  });

  it('keeps tokens out of its errors', async () => {
    const { verify } = setup();
    const tokens = [mint({ by: `${secret}!` }), mint({ time: 'now' }), mint({ claims: '' })];
    for (const token of tokens) {
      await expect(verify(token)).rejects.toMatchObject({
        message: expect.not.stringContaining('ABCDEFGH'),
      });
    }
  });

  it('still knows tokens after more of them than it keeps', async () => {
    const { verify } = setup();
    const token = mint({});
    await verify(token);
    for (let index = 0; index < 1_100; index += 1) await verify(mint({ id: `a${index}` }));
    await expect(verify(token)).resolves.toMatchObject({ publicKey });
  });
});
