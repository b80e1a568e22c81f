import { describe, expect, it } from '@jest/globals';
import { Allowance } from './allowance.js';

const takenAt = (allowance: Allowance, nowMs: number): number => {
  let taken = 0;
  while (allowance.take(nowMs)) taken += 1;
  return taken;
};

describe('Allowance', () => {
  it('gives so many in an interval, which begins with the first', () => {
    const allowance = new Allowance(1_000, () => 3);
    expect([700, 1_699, 1_700, 5_000].map((at) => takenAt(allowance, at))).toStrictEqual([
      3, 0, 3, 3,
    ]);
  });

  it('asks how many there are when an interval begins', () => {
    const ends: number[] = [];
    const allowance = new Allowance(1_000, (lastEndMs) => ends.push(lastEndMs));
    expect([0, 500, 2_000].map((at) => takenAt(allowance, at))).toStrictEqual([1, 0, 2]);
    expect(ends).toStrictEqual([-Infinity, 1_000]);
  });
});
