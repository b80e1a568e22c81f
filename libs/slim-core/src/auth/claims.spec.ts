import { describe, expect, it } from '@jest/globals';
import { isRecord, publicKeyOf } from './claims.js';

const key = Uint8Array.of(1, 2, 3);

describe('publicKeyOf', () => {
  it.each([
    { what: 'at the top', claims: { pubkey: 'AQID' } },
    { what: 'among the custom claims', claims: { custom_claims: { pubkey: 'AQID' } } },
    { what: 'at the top first', claims: { pubkey: 'AQID', custom_claims: { pubkey: 'BBBB' } } },
  ])('finds the key $what', ({ claims }) => {
    expect(publicKeyOf(claims)).toStrictEqual(key);
  });

  it.each([
    { claims: {}, message: 'public key not found in identity claims' },
    { claims: { custom_claims: null }, message: 'public key not found in identity claims' },
    { claims: { custom_claims: ['AQID'] }, message: 'public key not found in identity claims' },
    { claims: { pubkey: 'AQI' }, message: 'the public key in the identity claims is not base64' },
  ])('refuses $claims', ({ claims, message }) => {
    expect(() => publicKeyOf(claims)).toThrow(
      expect.objectContaining({ code: 'identity-rejected', message }),
    );
  });
});

describe('isRecord', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [[], false],
    [null, false],
    ['text', false],
    [undefined, false],
  ])('tells whether %j is an object', (value, expected) => {
    expect(isRecord(value)).toBe(expected);
  });
});
