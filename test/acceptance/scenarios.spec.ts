import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { families } from './scenarios.js';

/** The families that spec files play. That each is played whole, the compiler sees to. */
function played(): readonly string[] {
  const folder = new URL('.', import.meta.url);
  const specs = readdirSync(folder).filter((name) => name.endsWith('.spec.ts'));
  const texts = specs.map((name) => readFileSync(new URL(name, folder), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(/^acceptance\('([^']+)'/gm)].map(([, family]) => family ?? ''),
  );
}

describe('the scenarios', () => {
  it('are all played, each family in one place', () => {
    expect(played().toSorted()).toStrictEqual(Object.keys(families).toSorted());
  });

  it('have a name each', () => {
    const titles = Object.values(families).flat();
    expect(titles).toHaveLength(new Set(titles).size);
  });
});
