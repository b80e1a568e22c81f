import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdMap } from './id-map.js';

it('IdMap holds what a map would hold, whatever comes and goes', () => {
  const id = fc.constantFrom(0, 1, 2, 31, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1);
  const steps = fc.array(fc.record({ adds: fc.boolean(), id, value: fc.constantFrom('', 'a') }));
  fc.assert(
    fc.property(steps, (taken) => {
      const map = new IdMap<string>();
      const oracle = new Map<number, string>();
      for (const { adds, id: at, value } of taken) {
        if (adds) {
          map.set(at, value);
          oracle.set(at, value);
        } else {
          map.delete(at);
          oracle.delete(at);
        }
        expect([map.has(at), map.get(at)]).toStrictEqual([oracle.has(at), oracle.get(at)]);
        expect(map.size).toBe(oracle.size);
        const ids = [...oracle.keys()].toSorted((a, b) => a - b);
        expect(map.ids().toSorted((a, b) => a - b)).toStrictEqual(ids);
      }
    }),
  );
});
