import { describe, expect, it } from '@jest/globals';
import { sealedEpoch } from './sealed-epoch.js';

const fromHex = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('sealedEpoch', () => {
  it('reads the epoch of a private message, behind its group id', () => {
    expect(sealedEpoch(fromHex('0001 0002 02 aabb 0000000000000007 01'))).toBe(7);
  });

  it.each([
    ['an empty payload', ''],
    ['text', Buffer.from('{"an":"open payload"}').toString('hex')],
    ['a public message', '0001 0001 00 0000000000000007'],
    ['one that ends early', '0001 0002 02 aabb 00000000'],
    ['a group id of a longer form', '0001 0002 4040 0000000000000007'],
  ])('gives nothing for %s', (_, hex) => {
    expect(sealedEpoch(fromHex(hex))).toBeUndefined();
  });
});
