import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Bag } from './bag.js';

describe('Bag', () => {
  it('holds what a set would hold, whatever comes and goes', () => {
    const steps = fc.array(fc.record({ adds: fc.boolean(), which: fc.nat(20) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (taken) => {
        const bag = new Bag<number>();
        const oracle = new Set<number>();
        const takeOuts: (() => boolean)[] = [];
        for (const [value, { adds, which }] of taken.entries()) {
          if (adds) {
            takeOuts[value] = bag.add(value);
            oracle.add(value);
          } else {
            expect(takeOuts[which]?.() ?? false).toBe(oracle.delete(which));
          }
          expect(bag.size).toBe(oracle.size);
          expect(new Set(bag)).toStrictEqual(oracle);
        }
      }),
    );
  });

  it('may change while it is looked through', () => {
    const bag = new Bag<string>();
    const takeOuts = ['a', 'b', 'c'].map((value) => bag.add(value));
    const seen: string[] = [];
    for (const value of bag) {
      seen.push(value);
      takeOuts[0]?.();
      bag.add('d');
    }
    expect(seen).toStrictEqual(['a', 'b', 'c']);
    expect(bag.size).toBe(5);
  });

  it('holds a value as often as it was added', () => {
    const bag = new Bag<string>();
    const takeOut = bag.add('a');
    bag.add('a');
    expect([takeOut(), takeOut(), bag.size]).toStrictEqual([true, false, 1]);
  });
});
