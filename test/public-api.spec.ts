import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { entries, exportedNames, listPath } from './public-api/exported-names.mjs';

const hint = 'The public API changed. If that is meant: npm run api:update, and commit the list.';

describe('the public API', () => {
  it.each(entries)('of $name is its checked-in list', (entry) => {
    const actual = exportedNames(entry);
    const expected = readFileSync(listPath(entry), 'utf8');
    // The hint is part of both values, so that it shows in the difference that Jest prints.
    expect(`${hint}\n\n${actual}`).toBe(`${hint}\n\n${expected}`);
  });
});
