import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ecdhP256 } from './ecdh-p256.js';
import { newP256KeyPair, signP256, verifyP256 } from './p256.js';

const data = Buffer.from('some data');
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';

/** The agreement by key objects, whose interface is the newer one. */
function byKeyObjects(privateKey: Uint8Array, own: Uint8Array, peer: Uint8Array): Buffer {
  const jwk = (point: Uint8Array) => ({
    kty: 'EC',
    crv: 'P-256',
    x: Buffer.from(point.subarray(1, 33)).toString('base64url'),
    y: Buffer.from(point.subarray(33)).toString('base64url'),
  });
  const d = Buffer.from(privateKey).toString('base64url');
  return diffieHellman({
    privateKey: createPrivateKey({ key: { ...jwk(own), d }, format: 'jwk' }),
    publicKey: createPublicKey({ key: jwk(peer), format: 'jwk' }),
  });
}

describe('ecdhP256', () => {
  it('makes key pairs of full length, whose halves belong together', () => {
    // One scalar in 256 begins with a zero byte, which must not be left out.
    for (let round = 0; round < 600; round += 1) {
      const { publicKey, privateKey } = ecdhP256.keyPair();
      expect([publicKey.length, publicKey[0], privateKey.length]).toStrictEqual([65, 4, 32]);
    }
    const { publicKey, privateKey } = ecdhP256.keyPair();
    expect(verifyP256(publicKey, data, signP256(privateKey, data))).toBe(true);
  });

  it('finds the point of a private key', () => {
    const { publicKey, privateKey } = newP256KeyPair();
    expect(ecdhP256.publicKey(privateKey)).toStrictEqual(publicKey);
  });

  it('agrees with the other side and with the key objects of Node.js', () => {
    const [alice, bob] = [ecdhP256.keyPair(), ecdhP256.keyPair()];
    const secret = ecdhP256.agree(alice.privateKey, bob.publicKey);
    expect(secret).toStrictEqual(ecdhP256.agree(bob.privateKey, alice.publicKey));
    const expected = byKeyObjects(alice.privateKey, alice.publicKey, bob.publicKey);
    expect(Buffer.from(secret ?? [])).toStrictEqual(expected);
  });

  it.each([
    { what: 'nothing', key: () => new Uint8Array() },
    { what: 'a point cut short', key: (good: Uint8Array) => good.subarray(0, 64) },
    {
      what: 'a point off the curve',
      key: (good: Uint8Array) => good.with(64, (good[64] ?? 0) ^ 1),
    },
    { what: 'the point at infinity', key: () => new Uint8Array(1) },
    { what: 'a compressed point', key: (good: Uint8Array) => good.slice(0, 33).with(0, 2) },
    { what: 'the hybrid form', key: (good: Uint8Array) => good.with(0, 6 + ((good[64] ?? 0) & 1)) },
  ])('does not agree with $what', ({ key }) => {
    const { publicKey, privateKey } = ecdhP256.keyPair();
    expect(ecdhP256.agree(privateKey, key(publicKey))).toBeUndefined();
  });

  it.each([
    { what: 'nothing', key: '' },
    { what: 'zero', key: '00'.repeat(32) },
    { what: 'the order of the curve', key: order },
    { what: 'more than the order', key: 'ff'.repeat(32) },
  ])('takes $what for no private key', ({ key }) => {
    const { publicKey } = ecdhP256.keyPair();
    const scalar = Uint8Array.from(Buffer.from(key, 'hex'));
    expect(ecdhP256.publicKey(scalar)).toBeUndefined();
    expect(ecdhP256.agree(scalar, publicKey)).toBeUndefined();
  });
});
