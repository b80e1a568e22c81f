import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, npmInstall } from './command.mjs';
import { writeJson } from './json-file.mjs';

/** Our packages that a page is made from; what they need comes with them. */
const packages = ['@nestjs-slim/core', '@nestjs-slim/platform-browser'];

const declarations = "export { SlimApp, webSocketDialler } from '@nestjs-slim/platform-browser';\n";

/**
 * Installs our packages for browsers in a folder of their own, checks the declarations of the one for
 * browsers, and bundles the page of docs/browser.md, which fails on all that needs Node.js.
 * @param {object} page
 * @param {string} page.root of the repository
 * @param {string} page.folder made here
 * @param {Record<string, string>} page.tarballs of our packages, as dependencies
 * @throws {Error} with the output of the step that failed
 */
export async function tryPage({ root, folder, tarballs }) {
  mkdirSync(folder);
  const dependencies = Object.fromEntries(packages.map((name) => [name, tarballs[name]]));
  writeJson(join(folder, 'package.json'), { private: true, type: 'module', dependencies });
  cpSync(join(root, 'test/e2e/browser-page/page.js'), join(folder, 'page.js'));
  await npmInstall(folder);

  writeFileSync(join(folder, 'index.ts'), declarations);
  const checks = ['--strict', '--noEmit', '--target', 'es2023', '--lib', 'es2023,dom'];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await command(process.execPath, [tsc, ...checks, '--module', 'nodenext', 'index.ts'], {
    cwd: folder,
  });

  const bundle = ['--bundle', '--splitting', '--format=esm', '--outdir=public'];
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  await command(esbuild, ['page.js', ...bundle, '--log-level=warning'], { cwd: folder });
}
