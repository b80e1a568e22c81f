// A soak: `node test/chaos/run.mjs --seeds 5000 [--first 1]`.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];
const { status } = spawnSync(process.execPath, [...jest, 'test/chaos/channel.spec.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SEEDS: values.seeds, CHAOS_FIRST_SEED: values.first },
});
process.exitCode = status ?? 1;
