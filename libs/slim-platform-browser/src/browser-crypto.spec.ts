import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { browserCrypto } from './browser-crypto.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const data = fc.uint8Array({ maxLength: 300 });
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

/** Curve arithmetic in plain JavaScript takes milliseconds. */
const few = { numRuns: 12 };

/** The two implementations, each in both roles. */
const roles = [
  { name: 'browser to node', one: browserCrypto, other: nodeCrypto },
  { name: 'node to browser', one: nodeCrypto, other: browserCrypto },
];

describe('browserCrypto', () => {
  it('computes what node:crypto computes: digests, MACs and derived keys', () => {
    fc.assert(
      fc.property(data, data, data, fc.integer({ min: 1, max: 200 }), (a, b, c, length) => {
        expect(browserCrypto.sha256(a)).toStrictEqual(nodeCrypto.sha256(a));
        expect(browserCrypto.hmacSha256(a, b)).toStrictEqual(nodeCrypto.hmacSha256(a, b));
        const derived = nodeCrypto.hkdfSha256(a, b, c, length);
        expect(browserCrypto.hkdfSha256(a, b, c, length)).toStrictEqual(derived);
        expect(browserCrypto.equal(a, b)).toBe(nodeCrypto.equal(a, b));
        expect(browserCrypto.equal(a, a.slice())).toBe(true);
      }),
    );
  });

  it('seals what node:crypto seals, and opens it', () => {
    fc.assert(
      fc.property(bytes(16), bytes(12), data, data, (key, nonce, aad, plaintext) => {
        const sealed = nodeCrypto.seal(key, nonce, aad, plaintext);
        expect(browserCrypto.seal(key, nonce, aad, plaintext)).toStrictEqual(sealed);
        expect(browserCrypto.open(key, nonce, aad, sealed)).toStrictEqual(plaintext);
      }),
    );
  });

  it('opens nothing that was changed', () => {
    fc.assert(
      fc.property(bytes(16), bytes(12), data, data, fc.nat(), (key, nonce, aad, plaintext, nat) => {
        const sealed = browserCrypto.seal(key, nonce, aad, plaintext);
        const at = nat % sealed.length;
        const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1);
        expect(browserCrypto.open(key, nonce, aad, changed)).toBeUndefined();
        expect(browserCrypto.open(key, nonce, aad, sealed.subarray(0, at))).toBeUndefined();
        expect(browserCrypto.open(key, nonce, Uint8Array.of(1, ...aad), sealed)).toBeUndefined();
      }),
    );
  });

  it('gives as many random bytes as asked for, beyond what a browser gives at a time', () => {
    const lengths = [0, 1, 12, 65_536, 65_537, 200_000];
    expect(lengths.map((length) => browserCrypto.random(length).length)).toStrictEqual(lengths);
    const [first, second] = [browserCrypto.random(70_000), browserCrypto.random(70_000)];
    expect(Buffer.from(first).equals(second)).toBe(false);
    expect(first.subarray(65_536).some((byte) => byte !== 0)).toBe(true);
  });
});

describe.each(roles)('keys, $name', ({ one, other }) => {
  it('agree on X25519', () => {
    const [a, b] = [one.agreementKey(), other.agreementKey()];
    expect([a.publicKey.length, b.publicKey.length]).toStrictEqual([32, 32]);
    expect(a.agree(b.publicKey)).toStrictEqual(b.agree(a.publicKey));
    for (const unusable of [new Uint8Array(32), new Uint8Array(31), new Uint8Array()]) {
      expect(a.agree(unusable)).toBeUndefined();
    }
  });

  it('agree on P-256', () => {
    fc.assert(
      fc.property(fc.constant(undefined), () => {
        const [a, b] = [one.ecdhP256.keyPair(), other.ecdhP256.keyPair()];
        expect([a.publicKey.length, a.publicKey[0], a.privateKey.length]).toStrictEqual([
          65, 4, 32,
        ]);
        expect(other.ecdhP256.publicKey(a.privateKey)).toStrictEqual(a.publicKey);
        const secret = one.ecdhP256.agree(a.privateKey, b.publicKey);
        expect(secret).toHaveLength(32);
        expect(secret).toStrictEqual(other.ecdhP256.agree(b.privateKey, a.publicKey));
      }),
      few,
    );
  });

  it('sign and verify', () => {
    fc.assert(
      fc.property(data, fc.nat(), (text, nat) => {
        const { publicKey, privateKey } = one.signingKeyPair();
        const signed = one.sign(privateKey, text);
        expect(other.verify(publicKey, text, signed)).toBe(true);
        expect(other.verify(publicKey, Uint8Array.of(...text, 1), signed)).toBe(false);
        const at = nat % signed.length;
        const changed = signed.with(at, (signed[at] ?? 0) ^ 1);
        expect(other.verify(publicKey, text, changed)).toBe(false);
        expect(other.verify(other.signingKeyPair().publicKey, text, signed)).toBe(false);
      }),
      few,
    );
  });
});

describe('browserCrypto on what is no key', () => {
  const { publicKey, privateKey } = browserCrypto.signingKeyPair();
  const text = Uint8Array.of(1, 2, 3);
  const signed = browserCrypto.sign(privateKey, text);
  const points = [
    ['nothing', new Uint8Array()],
    ['a point cut short', publicKey.subarray(0, 64)],
    ['a point off the curve', publicKey.with(64, (publicKey[64] ?? 0) ^ 1)],
    ['the hybrid form', publicKey.with(0, 6 + ((publicKey[64] ?? 0) & 1))],
    ['the point at infinity', new Uint8Array(1)],
    ['a point with more behind it', Uint8Array.of(...publicKey, 0)],
  ] as const;
  const scalars = [
    ['nothing', ''],
    ['zero', '00'.repeat(32)],
    ['the order', order],
    ['more than the order', 'ff'.repeat(32)],
    ['too much', `01${'00'.repeat(32)}`],
  ] as const;

  it.each(points)('neither verifies nor agrees by %s', (_, point) => {
    expect(browserCrypto.verify(point, text, signed)).toBe(false);
    expect(browserCrypto.ecdhP256.agree(privateKey, point)).toBeUndefined();
  });

  it('verifies by a compressed point, and does not agree by it', () => {
    const compressed = publicKey.slice(0, 33).with(0, 2 + ((publicKey[64] ?? 0) & 1));
    expect(browserCrypto.verify(compressed, text, signed)).toBe(true);
    expect(browserCrypto.ecdhP256.agree(privateKey, compressed)).toBeUndefined();
  });

  it.each(scalars)('refuses %s as a private key, and does not repeat it', (_, scalar) => {
    const key = hex(scalar);
    const attempt = () => browserCrypto.sign(key, text);
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-config' }));
    expect(attempt).toThrow(/^expected a P-256 private key, got \d+ bytes that are none$/);
    expect(browserCrypto.ecdhP256.publicKey(key)).toBeUndefined();
    expect(browserCrypto.ecdhP256.agree(key, publicKey)).toBeUndefined();
  });

  it('takes a scalar that lost its leading zeros', () => {
    const point = nodeCrypto.ecdhP256.publicKey(hex('1234'.padStart(64, '0'))) ?? publicKey;
    expect(nodeCrypto.verify(point, text, browserCrypto.sign(hex('1234'), text))).toBe(true);
  });

  it.each(['', 'deadbeef', '3006020100020100'])('takes "%s" for no signature', (bad) => {
    expect(browserCrypto.verify(publicKey, text, hex(bad))).toBe(false);
  });
});
