import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { fromHex, toHex } from '../testing/hex.js';
import { hkdfExpand } from './hkdf-expand.js';

describe('hkdfExpand', () => {
  // RFC 5869 appendix A.1 to A.3.
  it.each([
    {
      prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      info: 'f0f1f2f3f4f5f6f7f8f9',
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
      info: Array.from({ length: 80 }, (_, index) => (0xb0 + index).toString(16)).join(''),
      okm:
        'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6' +
        '5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
      info: '',
      okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ])('gives the output of RFC 5869 for info "$info"', ({ prk, info, okm }) => {
    const output = hkdfExpand(nodeCrypto, fromHex(prk), fromHex(info), okm.length / 2);
    expect(toHex(output)).toBe(okm);
  });

  it('gives as many bytes as asked for, and a longer output begins with a shorter one', () => {
    const prk = new Uint8Array(32).fill(1);
    const longest = hkdfExpand(nodeCrypto, prk, new Uint8Array(), 100);
    for (const length of [0, 1, 31, 32, 33, 64]) {
      const output = hkdfExpand(nodeCrypto, prk, new Uint8Array(), length);
      expect(output).toStrictEqual(longest.slice(0, length));
    }
  });
});
