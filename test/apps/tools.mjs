import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { npmInstall } from './command.mjs';
import { writeJson } from './json-file.mjs';

const dependencies = {
  '@nestjs/cli': '^12.0.0',
  'typescript-5': 'npm:typescript@~5.9.0',
  'typescript-7': 'npm:typescript@~7.0.0',
};

/**
 * Installs what makes and compiles applications: Nest's command line, and the releases of TypeScript
 * before and after the one of this repository.
 * @param {string} root of the repository
 * @param {string} folder made here
 * @returns {Promise<{ nest: string, compilers: readonly string[] }>} path of Nest's command line, and
 * paths of TypeScript packages, this repository's first
 */
export async function installTools(root, folder) {
  mkdirSync(folder);
  writeJson(join(folder, 'package.json'), { private: true, dependencies });
  await npmInstall(folder);
  const modules = join(folder, 'node_modules');
  return {
    nest: join(modules, '@nestjs/cli/bin/nest.js'),
    compilers: [
      join(root, 'node_modules/typescript'),
      join(modules, 'typescript-5'),
      join(modules, 'typescript-7'),
    ],
  };
}
