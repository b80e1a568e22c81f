import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BoundedMemo } from './bounded-memo.js';

describe('BoundedMemo', () => {
  it('never gives another value than the last one set under a key', () => {
    const step = fc.record({ key: fc.nat(9), value: fc.option(fc.nat(), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const memo = new BoundedMemo<number, number>(3);
        const last = new Map<number, number>();
        for (const { key, value } of steps) {
          if (value === undefined) {
            expect([undefined, last.get(key)]).toContain(memo.get(key));
          } else {
            memo.set(key, value);
            last.set(key, value);
            expect(memo.get(key)).toBe(value);
          }
          expect(memo.size).toBeLessThanOrEqual(6);
        }
      }),
    );
  });

  it('has the last values for certain', () => {
    const memo = new BoundedMemo<number, number>(3);
    for (let key = 0; key < 100; key += 1) {
      memo.set(key, key);
      const last = [key, key - 1, key - 2].filter((one) => one >= 0);
      expect(last.map((one) => memo.get(one))).toStrictEqual(last);
    }
  });

  it('keeps what is asked for, however much comes meanwhile', () => {
    const memo = new BoundedMemo<number, string>(3);
    memo.set(0, 'asked for');
    for (let key = 1; key < 100; key += 1) {
      memo.set(key, 'never asked for');
      expect(memo.get(0)).toBe('asked for');
    }
    expect(memo.get(1)).toBeUndefined();
  });
});
