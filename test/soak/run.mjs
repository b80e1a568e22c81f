// `npm run soak -- --minutes 10 --seed 7`: builds the soak, then runs it.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

function run(...words) {
  const { status } = spawnSync(process.execPath, words, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('node_modules/typescript/bin/tsc', '-b', 'tsconfig.build.json');
run('dist/soak/soak/main.js', ...process.argv.slice(2));
