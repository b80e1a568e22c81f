import { describe, expect, it } from '@jest/globals';
import { backoffMs, defaultBackoff } from './backoff.js';

const policy = { firstMs: 100, maxMs: 1_000 };

describe('backoffMs', () => {
  it.each([
    { attempt: 0, least: 50, most: 100 },
    { attempt: 1, least: 100, most: 200 },
    { attempt: 2, least: 200, most: 400 },
    { attempt: 3, least: 400, most: 800 },
    { attempt: 4, least: 500, most: 1_000 },
    { attempt: 1_000, least: 500, most: 1_000 },
  ])('waits $least to $most ms before attempt $attempt', ({ attempt, least, most }) => {
    expect([0, 0.5, 1].map((random) => backoffMs(policy, attempt, random))).toStrictEqual([
      least,
      (least + most) / 2,
      most,
    ]);
  });

  it('comes back within some seconds unless told otherwise', () => {
    expect(backoffMs(defaultBackoff, 100, 1)).toBe(5_000);
  });
});
