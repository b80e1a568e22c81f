import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, npmInstall } from './command.mjs';
import { writeJson } from './json-file.mjs';

const source = fileURLToPath(new URL('source', import.meta.url));

/** As strict as a user's compiler may be, declarations of packages included. */
const compilerOptions = {
  target: 'ES2023',
  lib: ['ES2023'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  skipLibCheck: false,
  isolatedModules: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  rootDir: 'src',
  outDir: 'dist',
};

/**
 * Makes an application in a folder of its own, installs and compiles it, and runs it.
 * @param {object} app
 * @param {string} app.folder made here
 * @param {'module' | 'commonjs'} app.type module format
 * @param {Record<string, string>} app.dependencies
 * @param {readonly string[]} app.compilers paths of TypeScript packages; the first one's output is run
 * @throws {Error} with the output of the step that failed
 */
export async function tryApp({ folder, type, dependencies, compilers }) {
  mkdirSync(folder);
  writeJson(join(folder, 'package.json'), { private: true, type, dependencies });
  writeJson(join(folder, 'tsconfig.json'), { compilerOptions, include: ['src'] });
  cpSync(source, join(folder, 'src'), { recursive: true });
  await npmInstall(folder);
  for (const [at, compiler] of compilers.entries()) {
    const emit = at === 0 ? [] : ['--noEmit'];
    const tsc = join(compiler, 'bin/tsc');
    await command(process.execPath, [tsc, '-p', '.', ...emit], { cwd: folder });
  }
  await command(process.execPath, ['dist/main.js'], { cwd: folder });
}
