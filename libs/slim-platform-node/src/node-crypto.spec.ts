import { createECDH } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from './node-crypto.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte);

describe('nodeCrypto.random', () => {
  it('gives as many bytes as asked for, across and beyond its blocks', () => {
    const lengths = [0, 1, 12, 32, 4095, 4096, 4097, 100_000];
    expect(lengths.map((length) => nodeCrypto.random(length).length)).toStrictEqual(lengths);
  });

  it('never gives the same bytes twice', () => {
    const drawn = Array.from({ length: 2_000 }, () =>
      Buffer.from(nodeCrypto.random(12)).toString('hex'),
    );
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it('gives memory of its own each time', () => {
    const first = nodeCrypto.random(16);
    const copy = Uint8Array.from(first);
    nodeCrypto.random(16).fill(0);
    expect(first).toStrictEqual(copy);
    expect(first.buffer.byteLength).toBe(16);
  });
});

describe('nodeCrypto digests', () => {
  it('agrees with FIPS 180 on SHA-256', () => {
    expect(nodeCrypto.sha256(utf8('abc'))).toStrictEqual(
      hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
    );
  });

  it.each([
    [
      1,
      filled(20, 0x0b),
      'Hi There',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      2,
      utf8('Jefe'),
      'what do ya want for nothing?',
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      6,
      filled(131, 0xaa),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('agrees with RFC 4231 case %d on HMAC-SHA256', (_, key, text, mac) => {
    expect(nodeCrypto.hmacSha256(key, utf8(text))).toStrictEqual(hex(mac));
  });

  it.each([
    [
      1,
      '000102030405060708090a0b0c',
      'f0f1f2f3f4f5f6f7f8f9',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      3,
      '',
      '',
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ])('agrees with RFC 5869 case %d on HKDF-SHA256', (_, salt, info, okm) => {
    const ikm = filled(22, 0x0b);
    expect(nodeCrypto.hkdfSha256(ikm, hex(salt), hex(info), 42)).toStrictEqual(hex(okm));
  });

  it('compares by content and refuses other lengths', () => {
    expect(nodeCrypto.equal(hex('0102'), hex('0102'))).toBe(true);
    expect(nodeCrypto.equal(hex('0102'), hex('0103'))).toBe(false);
    expect(nodeCrypto.equal(hex('0102'), hex('010200'))).toBe(false);
    expect(nodeCrypto.equal(hex(''), hex(''))).toBe(true);
  });
});

describe('nodeCrypto.sign and verify', () => {
  // RFC 6979 appendix A.2.5, SHA-256, message "sample"; the signature in DER.
  const scalar = 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721';
  const x = '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6';
  const y = '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299';
  const signature = hex(
    '3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
      '022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  );
  const sample = utf8('sample');

  it.each([
    ['uncompressed', `04${x}${y}`],
    ['compressed', `03${x}`],
  ])('accepts the signature of RFC 6979 by the %s key', (_, key) => {
    expect(nodeCrypto.verify(hex(key), sample, signature)).toBe(true);
    expect(nodeCrypto.verify(hex(key), utf8('simple'), signature)).toBe(false);
  });

  it('signs for the public key of RFC 6979', () => {
    const own = nodeCrypto.sign(hex(scalar), sample);
    expect(nodeCrypto.verify(hex(`04${x}${y}`), sample, own)).toBe(true);
  });

  it('signs and verifies with new keys', () => {
    const { publicKey, privateKey } = nodeCrypto.signingKeyPair();
    expect([publicKey.length, publicKey[0], privateKey.length]).toStrictEqual([65, 4, 32]);
    const own = nodeCrypto.sign(privateKey, sample);
    expect(nodeCrypto.verify(publicKey, sample, own)).toBe(true);
    expect(nodeCrypto.verify(nodeCrypto.signingKeyPair().publicKey, sample, own)).toBe(false);
  });

  it('takes a scalar that lost its leading zeros', () => {
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(Buffer.concat([Buffer.alloc(30), Buffer.of(0x12, 0x34)]));
    const own = nodeCrypto.sign(hex('1234'), sample);
    expect(nodeCrypto.verify(ecdh.getPublicKey(), sample, own)).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['short', `04${x}`],
    ['not on the curve', `04${x}${'00'.repeat(32)}`],
    ['of the hybrid form', `07${x}${y}`],
    ['compressed without a point', `02${'ff'.repeat(32)}`],
    ['too long', `04${x}${y}00`],
  ])('says false for a public key that is %s', (_, key) => {
    expect(nodeCrypto.verify(hex(key), sample, signature)).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['random', 'deadbeef'],
    ['cut', Buffer.from(signature.subarray(0, 40)).toString('hex')],
    ['zero', '3006020100020100'],
  ])('says false for a signature that is %s', (_, bytes) => {
    expect(nodeCrypto.verify(hex(`04${x}${y}`), sample, hex(bytes))).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['zero', '00'.repeat(32)],
    ['the order', 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'],
    ['above the order', 'ff'.repeat(32)],
    ['too long', `00${scalar}`],
  ])('refuses a private key that is %s and does not repeat it', (_, key) => {
    const attempt = () => nodeCrypto.sign(hex(key), sample);
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid-config' }));
    expect(attempt).toThrow(/^expected a P-256 private key, got \d+ bytes that are none$/);
  });
});

describe('nodeCrypto.seal and open', () => {
  // The GCM specification (McGrew and Viega), test case 4.
  const key = hex('feffe9928665731c6d6a8f9467308308');
  const nonce = hex('cafebabefacedbaddecaf888');
  const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const plaintext = hex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const sealed = hex(
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
      '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091' +
      '5bc94fbc3221a5db94fae95ae7121a47',
  );

  it('agrees with the vector both ways', () => {
    expect(nodeCrypto.seal(key, nonce, aad, plaintext)).toStrictEqual(sealed);
    expect(nodeCrypto.open(key, nonce, aad, sealed)).toStrictEqual(plaintext);
  });

  it('seals nothing at all, which is a tag', () => {
    const tag = nodeCrypto.seal(key, nonce, aad, new Uint8Array());
    expect(tag.length).toBe(16);
    expect(nodeCrypto.open(key, nonce, aad, tag)).toStrictEqual(new Uint8Array());
  });

  it('does not open what was changed', () => {
    for (const at of [0, 30, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(nodeCrypto.open(key, nonce, aad, changed)).toBeUndefined();
    }
    expect(nodeCrypto.open(key, nonce, hex(''), sealed)).toBeUndefined();
    expect(nodeCrypto.open(key, hex('00'.repeat(12)), aad, sealed)).toBeUndefined();
    expect(nodeCrypto.open(key, nonce, aad, sealed.subarray(0, 15))).toBeUndefined();
    expect(nodeCrypto.open(key, nonce, aad, hex(''))).toBeUndefined();
  });
});
