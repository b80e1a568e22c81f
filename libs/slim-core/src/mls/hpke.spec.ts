import { describe, expect, it } from '@jest/globals';
import { defaultCryptoProvider, getCiphersuiteFromName } from 'ts-mls';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { fromHex, toHex } from '../testing/hex.js';
import { suiteName } from './cipher-suite.js';
import { Hpke } from './hpke.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const info = utf8('what both sides know');
const aad = utf8('beside');
const failure = expect.objectContaining({ code: 'mls-failure' });

const hpke = new Hpke(nodeCrypto);

/** The HPKE that the MLS library brings, on WebCrypto. */
async function library() {
  return (await defaultCryptoProvider.getCiphersuiteImpl(getCiphersuiteFromName(suiteName))).hpke;
}

/** RFC 9180 appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode. */
const vector = {
  ikmR: '668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550',
  skRm: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
  pkRm:
    '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f6' +
    '2fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
  enc:
    '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f95' +
    '1c0900be863c403ce65c9bfcb9382657222d18c4',
  info: '4f6465206f6e2061204772656369616e2055726e',
  aad: '436f756e742d30',
  plaintext: '4265617574792069732074727574682c20747275746820626561757479',
  ct: '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
};

describe('Hpke', () => {
  it('derives the key pair of the RFC', () => {
    const { privateKey, publicKey } = hpke.deriveKeyPair(fromHex(vector.ikmR));
    expect([toHex(privateKey), toHex(publicKey)]).toStrictEqual([vector.skRm, vector.pkRm]);
  });

  it('opens the message of the RFC', () => {
    const sealed = { enc: fromHex(vector.enc), ct: fromHex(vector.ct) };
    const [key, context, beside] = [vector.skRm, vector.info, vector.aad].map(fromHex);
    const opened = hpke.open(key ?? aad, context ?? aad, beside ?? aad, sealed);
    expect(toHex(opened)).toBe(vector.plaintext);
  });

  it('derives key pairs like the library', async () => {
    const theirs = await library();
    for (let round = 0; round < 20; round += 1) {
      const ikm = nodeCrypto.random(32);
      const { privateKey, publicKey } = await theirs.deriveKeyPair(ikm);
      expect(hpke.deriveKeyPair(ikm)).toStrictEqual({
        privateKey: await theirs.exportPrivateKey(privateKey),
        publicKey: await theirs.exportPublicKey(publicKey),
      });
    }
  });

  it.each([0, 1, 100, 70_000])('seals %d bytes for the library', async (size) => {
    const theirs = await library();
    const { publicKey, privateKey } = hpke.generateKeyPair();
    const plaintext = new Uint8Array(size).fill(7);
    const { enc, ct } = hpke.seal(publicKey, info, aad, plaintext);
    const key = await theirs.importPrivateKey(privateKey);
    expect(await theirs.open(key, enc, ct, info, aad)).toStrictEqual(plaintext);
  });

  it.each([0, 1, 100, 70_000])('opens %d bytes that the library sealed', async (size) => {
    const theirs = await library();
    const { publicKey, privateKey } = hpke.generateKeyPair();
    const plaintext = new Uint8Array(size).fill(7);
    const key = await theirs.importPublicKey(publicKey);
    const sealed = await theirs.seal(key, plaintext, info, aad);
    expect(hpke.open(privateKey, info, aad, sealed)).toStrictEqual(plaintext);
  });

  it('opens nothing that was changed, or is for somebody else', () => {
    const { publicKey, privateKey } = hpke.generateKeyPair();
    const sealed = hpke.seal(publicKey, info, aad, utf8('secret'));
    const ct = sealed.ct.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
    const { enc } = hpke.seal(publicKey, info, aad, utf8('secret'));
    const other = hpke.generateKeyPair().privateKey;
    const tries = [
      () => hpke.open(privateKey, info, aad, { ...sealed, ct }),
      () => hpke.open(privateKey, info, aad, { ...sealed, enc }),
      () => hpke.open(privateKey, aad, aad, sealed),
      () => hpke.open(privateKey, info, info, sealed),
      () => hpke.open(other, info, aad, sealed),
    ];
    for (const open of tries) expect(open).toThrow(failure);
  });

  it('refuses keys that are none of the curve', () => {
    const { publicKey, privateKey } = hpke.generateKeyPair();
    const sealed = hpke.seal(publicKey, info, aad, aad);
    const bad = publicKey.map((byte, at) => (at === 64 ? byte ^ 1 : byte));
    expect(() => hpke.seal(bad, info, aad, aad)).toThrow(failure);
    expect(() => hpke.open(privateKey, info, aad, { ...sealed, enc: bad })).toThrow(failure);
    expect(() => hpke.open(new Uint8Array(32), info, aad, sealed)).toThrow(failure);
  });

  it('passes over a scalar that is none of the curve when it derives a key pair', () => {
    let isFirst = true;
    const ecdhP256 = {
      ...nodeCrypto.ecdhP256,
      publicKey: (scalar: Uint8Array) => {
        const point = isFirst ? undefined : nodeCrypto.ecdhP256.publicKey(scalar);
        isFirst = false;
        return point;
      },
    };
    const ikm = new Uint8Array(32);
    const derived = new Hpke({ ...nodeCrypto, ecdhP256 }).deriveKeyPair(ikm);
    expect(derived).not.toStrictEqual(hpke.deriveKeyPair(ikm));
  });

  it('ends when no scalar is one of the curve', () => {
    const ecdhP256 = { ...nodeCrypto.ecdhP256, publicKey: () => undefined };
    const broken = new Hpke({ ...nodeCrypto, ecdhP256 });
    expect(() => broken.deriveKeyPair(new Uint8Array(32))).toThrow(failure);
  });
});
