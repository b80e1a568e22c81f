import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { exportedNames, libs, listPath } from './public-api/exported-names.mjs';

const hint = 'The public API changed. If that is meant: npm run api:update, and commit the list.';

describe('the public API', () => {
  it.each(libs)('of %s is its checked-in list', (lib) => {
    const actual = exportedNames(lib);
    const expected = readFileSync(listPath(lib), 'utf8');
    // The hint is part of both values, so that it shows in the difference that Jest prints.
    expect(`${hint}\n\n${actual}`).toBe(`${hint}\n\n${expected}`);
  });
});
