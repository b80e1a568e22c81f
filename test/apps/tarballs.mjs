import { join } from 'node:path';
import { command } from './command.mjs';
import { removeStaleOutput } from './stale-output.mjs';

const libs = ['slim-core', 'slim-platform-node', 'slim-platform-browser', 'nestjs-slim'].map(
  (lib) => `libs/${lib}`,
);

/**
 * Builds the libs and packs them as they would be published.
 * @param {string} root of the repository
 * @param {string} folder where the tarballs go
 * @returns {Promise<Record<string, string>>} path of the tarball by name of the package, as dependencies
 */
export async function packTarballs(root, folder) {
  await command('npx', ['tsc', '-b', ...libs], { cwd: root });
  for (const lib of libs) removeStaleOutput(join(root, lib));
  const workspaces = libs.flatMap((lib) => ['--workspace', lib]);
  const packed = await command(
    'npm',
    ['pack', '--json', '--silent', '--pack-destination', folder, ...workspaces],
    { cwd: root },
  );
  const tarballs = Object.values(JSON.parse(packed));
  return Object.fromEntries(
    tarballs.map(({ name, filename }) => [name, `file:${join(folder, filename)}`]),
  );
}
