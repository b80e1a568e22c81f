import { describe, expect, it } from '@jest/globals';
import { shortCount, shortDuration } from './units.js';

describe('shortCount', () => {
  it.each([
    [0, '0'],
    [0.3, '0.3'],
    [9.96, '10.0'],
    [12.4, '12'],
    [999, '999'],
    [999.6, '1.0k'],
    [1_234, '1.2k'],
    [9_960, '10k'],
    [340_000_000, '340M'],
    [1e18, '1000000T'],
  ])('writes %d as %s', (count, text) => {
    expect(shortCount(count)).toBe(text);
  });
});

describe('shortDuration', () => {
  it.each([
    [-5, '0s'],
    [42_000, '42s'],
    [185_000, '3m05s'],
    [8_040_000, '2h14m'],
    [788_400_000, '9d03h'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(shortDuration(ms)).toBe(text);
  });
});
