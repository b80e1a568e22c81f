import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { SlimNode } from '@nestjs-slim/platform-node';

const root = fileURLToPath(new URL('../..', import.meta.url));
const names = readdirSync(`${root}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The others are tests, which Jest runs where they are. */
const programs = names.filter((name) => existsSync(`${root}examples/${name}/main.ts`));

async function outputOf(name: string, env: Record<string, string> = {}): Promise<string> {
  // It fails when the exit code is not 0.
  const program = `${root}dist/examples/${name}/main.js`;
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    timeout: 50_000,
  });
  return stdout;
}

describe('an example', () => {
  it.each(programs)(
    'prints what it says it does: %s',
    async (name) => {
      const expected = readFileSync(`${root}examples/${name}/output.txt`, 'utf8');
      expect(await outputOf(name)).toBe(expected);
    },
    60_000,
  );

  it('uses the node at SLIM_NODE', async () => {
    const node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
    try {
      const expected = readFileSync(`${root}examples/request-response/output.txt`, 'utf8');
      const env = { SLIM_NODE: node.url ?? '' };
      expect(await outputOf('request-response', env)).toBe(expected);
      expect(node.counters.forwarded).toBeGreaterThan(0);
    } finally {
      await node.close();
    }
  }, 60_000);

  it('is a program or a test, listed by its first line', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}examples/run.mjs`]);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toStrictEqual(names.toSorted());
    for (const line of lines) expect(line).toMatch(/^\S+ +[A-Z].+\.$/);
  });
});
