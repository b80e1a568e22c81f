import { describe, expect, it } from '@jest/globals';
import { fakeResult } from './fake-result.mjs';
import { ratio } from './ratio.mjs';

const ours = { contender: 'ours', baseline: 'theirs' };

describe('ratio', () => {
  it('is the median of the ratios within each round', () => {
    const values = {
      theirs: { 'shouts/s': [10, 20, 40] },
      ours: { 'shouts/s': [30, 80, 80] },
    };
    expect(ratio(fakeResult({ values }), { ...ours, figure: 'shouts/s' })).toBe(3);
  });

  it('is above 1 for the better one, whether more or less is better', () => {
    expect(ratio(fakeResult(), { ...ours, figure: 'shouts/s' })).toBe(1);
    expect(ratio(fakeResult(), { ...ours, figure: 'p50 ms' })).toBe(2);
  });

  it('is undefined when one of them was left out', () => {
    const { theirs } = fakeResult().values;
    const result = fakeResult({ values: { theirs } as never, leftOut: { ours: 'is hoarse' } });
    expect(ratio(result, { ...ours, figure: 'p50 ms' })).toBeUndefined();
  });
});
