import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, npmInstall } from './command.mjs';
import { changeJson } from './json-file.mjs';

/** All that building the application and changing it takes; its linter and test runner are left out. */
const devDependencies = ['@nestjs/cli', '@nestjs/schematics', '@types/node', 'typescript'];

/**
 * Makes an application with `nest new`, extends it with `nest add`, builds it, and asks the handler
 * that is in it then.
 * @param {object} app
 * @param {string} app.parent the application's folder is made in there
 * @param {string} app.nest path of Nest's command line
 * @param {Record<string, string>} app.tarballs of our packages, as dependencies
 * @throws {Error} with the output of the step that failed
 */
export async function tryFreshApp({ parent, nest, tarballs }) {
  const node = (cwd, ...args) => command(process.execPath, args, { cwd });
  const made = ['--skip-git', '--skip-install', '--skip-tests', '--no-observe'];
  await node(parent, nest, 'new', 'fresh', '--package-manager', 'npm', ...made);

  const folder = join(parent, 'fresh');
  leaveOutTools(folder, tarballs);
  await npmInstall(folder);
  const ownNest = join(folder, 'node_modules/@nestjs/cli/bin/nest.js');
  const added = await node(folder, ownNest, 'add', 'nestjs-slim', '--skip-install');
  assert.match(added, /CREATE.* src\/slim\/hello\.controller\.ts/, added);
  const again = await node(folder, ownNest, 'generate', '-c', 'nestjs-slim', 'ng-add');
  assert.match(again, /Nothing to be done/, again);

  await node(folder, ownNest, 'build');
  const question = fileURLToPath(new URL('ask-hello.mjs', import.meta.url));
  copyFileSync(question, join(folder, 'ask-hello.mjs'));
  await node(folder, 'ask-hello.mjs');
}

function leaveOutTools(folder, tarballs) {
  changeJson(join(folder, 'package.json'), (manifest) => ({
    ...manifest,
    dependencies: { ...manifest.dependencies, ...tarballs },
    devDependencies: Object.fromEntries(
      Object.entries(manifest.devDependencies).filter(([name]) => devDependencies.includes(name)),
    ),
  }));
  changeJson(join(folder, 'tsconfig.json'), ({ compilerOptions, ...rest }) => ({
    ...rest,
    compilerOptions: { ...compilerOptions, types: ['node'] },
  }));
}
