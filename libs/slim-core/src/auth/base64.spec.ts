import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromHex } from '../testing/hex.js';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.js';

describe('base64', () => {
  // RFC 4648 section 10, and the two characters that differ.
  it.each([
    { hex: '', standard: '', url: '' },
    { hex: '66', standard: 'Zg==', url: 'Zg' },
    { hex: '666f', standard: 'Zm8=', url: 'Zm8' },
    { hex: '666f6f', standard: 'Zm9v', url: 'Zm9v' },
    { hex: 'fbff', standard: '+/8=', url: '-_8' },
  ])('writes $hex as $standard and $url, and reads both', ({ hex, standard, url }) => {
    const bytes = fromHex(hex);
    expect([toBase64(bytes), toBase64Url(bytes)]).toStrictEqual([standard, url]);
    expect([fromBase64(standard), fromBase64Url(url)]).toStrictEqual([bytes, bytes]);
  });

  it('reads back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromBase64(toBase64(bytes))).toStrictEqual(bytes);
        expect(fromBase64Url(toBase64Url(bytes))).toStrictEqual(bytes);
      }),
    );
  });
});

/** What the platform decodes, kept where it writes the same text again. */
function byPlatform(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : undefined;
}

describe('fromBase64', () => {
  it('takes what the platform takes and writes again, and nothing else', () => {
    const characters = fc.constantFrom(...Array.from('AZaz09+/-_= \u00fc\u0141'));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 9 }), (text) => {
        expect(fromBase64(text)).toStrictEqual(byPlatform(text));
      }),
    );
  });

  it.each(['Zg', 'Zg=', 'Zg===', 'Z===', '=', 'Zg==Zg==', 'Zm 9v', '-_8=', 'Zm9v\n', 'Zm9ü'])(
    'takes nothing but padded standard base64: %j',
    (text) => {
      expect(fromBase64(text)).toBeUndefined();
    },
  );

  it.each(['Zh==', 'Zm9='])('takes each value in one spelling only: %j', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});

describe('fromBase64Url', () => {
  it.each(['Zg==', 'Z', 'Zm8=', '+/8', 'Zm9v.', ' Zm9v'])(
    'takes nothing but unpadded base64url: %j',
    (text) => {
      expect(fromBase64Url(text)).toBeUndefined();
    },
  );

  it.each(['Zh', 'Zm9', '-_9'])('takes each value in one spelling only: %j', (text) => {
    expect(fromBase64Url(text)).toBeUndefined();
  });
});
