import { describe, expect, it } from '@jest/globals';
import { defaultCryptoProvider, getCiphersuiteFromName } from 'ts-mls';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { cipherSuite, suiteName } from './cipher-suite.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const data = utf8('some data');
const key = new Uint8Array(32).fill(9);

/** Ours, and the library's own in pure JavaScript. */
async function setup() {
  const suite = getCiphersuiteFromName(suiteName);
  const library = await defaultCryptoProvider.getCiphersuiteImpl(suite);
  return { ours: cipherSuite(nodeCrypto), library };
}

describe('cipherSuite', () => {
  it('is the suite of SLIM', async () => {
    const { ours, library } = await setup();
    expect(ours.name).toBe('MLS_128_DHKEMP256_AES128GCM_SHA256_P256');
    expect(ours.kdf.size).toBe(library.kdf.size);
  });

  it('hashes, authenticates and derives like the library', async () => {
    const { ours, library } = await setup();
    const results = await Promise.all(
      [ours, library].map(async ({ hash, kdf }) => [
        toHex(await hash.digest(data)),
        toHex(await hash.mac(key, data)),
        toHex(await kdf.extract(key, data)),
        toHex(await kdf.expand(key, data, 80)),
      ]),
    );
    expect(results[0]).toStrictEqual(results[1]);
  });

  it('verifies what it authenticated, and nothing else', async () => {
    const { ours } = await setup();
    const mac = await ours.hash.mac(key, data);
    expect(await ours.hash.verifyMac(key, mac, data)).toBe(true);
    expect(await ours.hash.verifyMac(key, mac.slice(1), data)).toBe(false);
    expect(await ours.hash.verifyMac(key, mac, utf8('other data'))).toBe(false);
  });

  it('signs for the library and verifies what the library signed', async () => {
    const { ours, library } = await setup();
    const { publicKey, signKey } = await ours.signature.keygen();
    expect([publicKey.length, signKey.length]).toStrictEqual([65, 32]);
    const signed = await ours.signature.sign(signKey, data);
    expect(await library.signature.verify(publicKey, data, signed)).toBe(true);
    const theirs = await library.signature.sign(signKey, data);
    expect(await ours.signature.verify(publicKey, data, theirs)).toBe(true);
    expect(await ours.signature.verify(publicKey, utf8('other data'), theirs)).toBe(false);
  });

  it('seals and opens for the library', async () => {
    const { ours, library } = await setup();
    const [short, nonce, aad] = [key.slice(0, 16), key.slice(0, 12), utf8('aad')];
    const sealed = await ours.hpke.encryptAead(short, nonce, aad, data);
    expect(toHex(await library.hpke.decryptAead(short, nonce, aad, sealed))).toBe(toHex(data));
    const theirs = await library.hpke.encryptAead(short, nonce, undefined, data);
    expect(toHex(await ours.hpke.decryptAead(short, nonce, undefined, theirs))).toBe(toHex(data));
  });

  it('seals to keys of the library, and opens what was sealed to its own', async () => {
    const { ours, library } = await setup();
    const theirs = await library.hpke.generateKeyPair();
    const point = await library.hpke.exportPublicKey(theirs.publicKey);
    const { enc, ct } = await ours.hpke.seal(await ours.hpke.importPublicKey(point), data, key);
    expect(await library.hpke.open(theirs.privateKey, enc, ct, key)).toStrictEqual(data);

    const own = await ours.hpke.deriveKeyPair(key);
    const bytes = await ours.hpke.exportPublicKey(own.publicKey);
    const sealed = await library.hpke.seal(await library.hpke.importPublicKey(bytes), data, key);
    const scalar = await ours.hpke.exportPrivateKey(own.privateKey);
    const imported = await ours.hpke.importPrivateKey(scalar);
    expect(await ours.hpke.open(imported, sealed.enc, sealed.ct, key)).toStrictEqual(data);
  });

  it('has nothing for external commits, which SLIM does not know', async () => {
    const { hpke } = cipherSuite(nodeCrypto);
    const { publicKey, privateKey } = await hpke.generateKeyPair();
    const refused = { code: 'mls-failure' };
    await expect(hpke.exportSecret(publicKey, key, 32, data)).rejects.toMatchObject(refused);
    await expect(hpke.importSecret(privateKey, key, data, 32, data)).rejects.toMatchObject(refused);
  });

  it('refuses a ciphertext that is not authentic', async () => {
    const { ours } = await setup();
    const [short, nonce] = [key.slice(0, 16), key.slice(0, 12)];
    const sealed = await ours.hpke.encryptAead(short, nonce, data, data);
    const opened = ours.hpke.decryptAead(short, nonce, utf8('other'), sealed);
    await expect(opened).rejects.toMatchObject({ code: 'mls-failure' });
  });

  it('draws its randomness from the platform', async () => {
    const crypto = { ...nodeCrypto, random: (length: number) => new Uint8Array(length).fill(3) };
    const { rng } = cipherSuite(crypto);
    expect(rng.randomBytes(4)).toStrictEqual(Uint8Array.of(3, 3, 3, 3));
  });
});
