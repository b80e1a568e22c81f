// npm run check:apps
//
// What a user gets: packs the libs, installs the tarballs into throw-away applications of both Nest
// versions and both module formats, compiles those with the declarations of every package checked, and
// has each of them answer a request. The fifth application is one of `nest new` and `nest add`; and a page
// is made from the packages for browsers.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dependencies } from './dependencies.mjs';
import { tryFreshApp } from './fresh-app.mjs';
import { tryPage } from './page.mjs';
import { packTarballs } from './tarballs.mjs';
import { tryApp } from './throw-away-app.mjs';
import { installTools } from './tools.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const atOnce = 2;

const folder = mkdtempSync(join(tmpdir(), 'nestjs-slim-apps-'));
try {
  const [tarballs, tools] = await Promise.all([
    packTarballs(root, folder),
    installTools(root, join(folder, 'tools')),
  ]);
  const queue = apps(tarballs, tools);
  await Promise.all(Array.from({ length: atOnce }, () => work(queue)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function apps(tarballs, { nest, compilers }) {
  const throwAway = [11, 12].flatMap((major) =>
    ['module', 'commonjs'].map((type) => ({
      title: `Nest ${major}, ${type}`,
      run: () =>
        tryApp({
          folder: join(folder, `${type}-${major}`),
          type,
          compilers,
          dependencies: { ...tarballs, ...dependencies(major) },
        }),
    })),
  );
  const fresh = {
    title: 'nest new, nest add',
    run: () => tryFreshApp({ parent: folder, nest, tarballs }),
  };
  const page = {
    title: 'a page',
    run: () => tryPage({ root, folder: join(folder, 'page'), tarballs }),
  };
  // First, because it takes longest.
  return [fresh, ...throwAway, page];
}

/** Takes one app after the other, so that the rest is tried when one fails. */
async function work(queue) {
  for (let app = queue.shift(); app; app = queue.shift()) {
    const start = performance.now();
    try {
      await app.run();
      console.log(`ok      ${app.title} (${Math.round((performance.now() - start) / 1000)} s)`);
    } catch (reason) {
      console.error(`FAILED  ${app.title}\n${reason.message}`);
      process.exitCode = 1;
    }
  }
}
