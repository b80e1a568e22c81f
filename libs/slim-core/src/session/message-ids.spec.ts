import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { distance, isAfter, nextMessageId, previousMessageId } from './message-ids.js';

const last = 2 ** 31 - 1;
const ids = fc.integer({ min: 0, max: last });

describe('message ids', () => {
  it('start over with 0 after 2147483647', () => {
    expect(nextMessageId(last)).toBe(0);
    expect(previousMessageId(0)).toBe(last);
    expect([nextMessageId(0), previousMessageId(2)]).toStrictEqual([1, 1]);
  });

  it.each([
    { id: 2, other: 1, after: true },
    { id: 1, other: 1, after: false },
    { id: 1, other: 2, after: false },
    { id: 0, other: last, after: true },
    { id: last, other: 0, after: false },
    { id: 2 ** 30, other: 0, after: true },
    { id: 2 ** 30 + 1, other: 0, after: false },
    { id: 10, other: last - 10, after: true },
  ])('$id after $other: $after', ({ id, other, after }) => {
    expect(isAfter(id, other)).toBe(after);
  });

  it('lie as far apart as steps lead from one to the other', () => {
    fc.assert(
      fc.property(ids, fc.nat({ max: 2_000 }), (start, steps) => {
        let id = start;
        for (let step = 0; step < steps; step += 1) id = nextMessageId(id);
        expect(distance(start, id)).toBe(steps);
        expect(isAfter(id, start)).toBe(steps > 0);
        expect(nextMessageId(previousMessageId(id))).toBe(id);
      }),
    );
  });

  it('are never each after the other', () => {
    fc.assert(
      fc.property(ids, ids, (a, b) => {
        expect(isAfter(a, b) && isAfter(b, a)).toBe(false);
      }),
    );
  });
});
