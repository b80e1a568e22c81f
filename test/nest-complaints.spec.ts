import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = new URL('../', import.meta.url);
const page = readFileSync(new URL('docs/nest-complaints.md', root), 'utf8');

/** The tests that the page names, as file and title. */
const named = [...page.matchAll(/`([^`]+\.spec\.ts)`: "(.+?)"(?=<br>| *\|)/g)].map(
  ([, file = '', title = '']) => ({ file, title }),
);

describe('the answers to complaints about Nest', () => {
  it('name tests, or say that there is none', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.includes('#'));
    const silent = rows.filter((row) => !row.includes('.spec.ts`: "') && !row.includes('no test'));
    expect(rows.length).toBeGreaterThan(20);
    expect(silent).toStrictEqual([]);
    expect(named).toHaveLength(page.split('.spec.ts`: "').length - 1);
  });

  it.each(named)('$file: $title', ({ file, title }) => {
    const path = fileURLToPath(new URL(file, root));
    expect(existsSync(path) && readFileSync(path, 'utf8').includes(`'${title}'`)).toBe(true);
  });
});
