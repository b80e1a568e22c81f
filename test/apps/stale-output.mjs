import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The compiler leaves the output of a source that was moved or deleted; a tarball must not have it.
 * @param {string} lib its folder
 */
export function removeStaleOutput(lib) {
  const outputs = readdirSync(join(lib, 'dist'), { recursive: true, encoding: 'utf8' });
  for (const output of outputs) {
    const [, module] = /^(.*?)(?:\.d\.ts|\.js|\.js\.map)$/.exec(output) ?? [];
    if (module === undefined || existsSync(join(lib, 'src', `${module}.ts`))) continue;
    rmSync(join(lib, 'dist', output));
  }
}
