import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../dist/demos/billing/main.js', import.meta.url));

it('the demo shows who called whom, and that the node read nothing', async () => {
  // It fails, with exit code 1, unless all of its services answer and the node finds ciphertext only.
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const answered = [...stdout.matchAll(/\[(acme\/billing\/invoices\/[0-9a-f-]+)\] created/g)];
  expect(new Set(answered.map(([, instance]) => instance)).size).toBe(2);
  expect(stdout).toContain("the customer's name readable in 0");
  expect(stdout).toMatch(/forwarded \d+ bytes, ciphertext: …[0-9a-f]{48}/);
}, 60_000);
