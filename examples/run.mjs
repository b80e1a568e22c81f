// npm run example -- NAME: builds, then runs that example; without a name, lists them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = fileURLToPath(new URL('.', import.meta.url));
const [name] = process.argv.slice(2);

/** What is run: a program or, for the example of a test, the test. */
function sourceOf(example) {
  return ['main.ts', 'invoices.spec.ts'].find((file) =>
    existsSync(`${examples}${example}/${file}`),
  );
}

function run(...words) {
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const names = readdirSync(examples).filter((entry) => sourceOf(entry) !== undefined);

if (!names.includes(name)) {
  for (const known of names) {
    const [about = ''] = readFileSync(`${examples}${known}/${sourceOf(known)}`, 'utf8').split('\n');
    console.log(`${known.padEnd(22)}${about.replace('// ', '')}`);
  }
  process.exitCode = name === undefined ? 0 : 1;
} else if (sourceOf(name) === 'main.ts') {
  run('node_modules/typescript/bin/tsc', '-b', 'examples');
  run(`dist/examples/${name}/main.js`);
} else {
  run('--experimental-vm-modules', 'node_modules/jest/bin/jest.js', `examples/${name}/`);
}
