import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadNameHash } from './name-hash.js';
import { applicationId, formatId, nameId, nullId, parseId } from './name-id.js';

beforeAll(loadNameHash);

describe('formatId', () => {
  it.each([
    [0n, '00000000-0000-0000-0000-000000000000'],
    [1n, '00000000-0000-0000-0000-000000000001'],
    [(1n << 128n) - 2n, 'ffffffff-ffff-ffff-ffff-fffffffffffe'],
    [nullId, 'NULL_COMPONENT'],
  ])('prints %d as %s', (value, text) => {
    expect(formatId(nameId(value))).toBe(text);
  });
});

describe('parseId', () => {
  it.each([
    '60f2d0d6-2153-22dd-e4f0-d12720bf4070',
    '60F2D0D6-2153-22DD-E4F0-D12720BF4070',
    '60f2d0d6215322dde4f0d12720bf4070',
  ])('reads the spelling %s', (text) => {
    expect(parseId(text)).toBe(0x60f2d0d6215322dde4f0d12720bf4070n);
  });

  it.each(['', '7', 'null_component', '60f2d0d6-2153-22dd-e4f0-d12720bf407', `${'f'.repeat(33)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseId(text)).toThrow(expect.objectContaining({ code: 'invalid-name' }));
    },
  );

  it('reads whatever formatId prints', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: nullId }), (value) => {
        expect(parseId(formatId(nameId(value)))).toBe(value);
      }),
    );
  });
});

describe('applicationId', () => {
  it('is never one of the 51 reserved values, NULL among them', () => {
    fc.assert(
      fc.property(fc.string(), (tokenId) => {
        const id = applicationId(tokenId);
        expect(id >= 0n && id < (1n << 128n) - 51n).toBe(true);
      }),
    );
  });

  it('is the same for the same token id and another for another', () => {
    expect(applicationId('a')).toBe(applicationId('a'));
    expect(applicationId('a')).not.toBe(applicationId('b'));
  });
});
