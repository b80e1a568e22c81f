import { describe, expect, it } from '@jest/globals';
import { median, percentile } from './statistics.mjs';

describe('percentile', () => {
  it('is the value that a share of all lies below, between two by their distance', () => {
    const values = [40, 10, 30, 20, 50];
    expect(percentile(values, 0)).toBe(10);
    expect(percentile(values, 0.5)).toBe(30);
    expect(percentile(values, 0.9)).toBe(46);
    expect(percentile(values, 1)).toBe(50);
    expect(values).toStrictEqual([40, 10, 30, 20, 50]);
  });

  it('has a median of an even number of values', () => {
    expect(median([1, 2, 4, 100])).toBe(3);
  });
});
