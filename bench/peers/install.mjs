// npm run install:bench
//
// Installs the servers of the transports that the benchmarks compare with, from Debian's packages, unless
// they are there already. On a machine that runs services Debian starts them as such; the benchmarks
// start their own and need none of that.

import { spawnSync } from 'node:child_process';
import { brokerServers, findServer } from './broker-servers.mjs';

const missing = () => Object.values(brokerServers).filter((server) => !findServer(server));

if (missing().length > 0 && process.getuid?.() === 0) {
  // Lists may be missing or old; an update that fails in part may still be enough.
  aptGet('update', '-qq');
  // One by one, so that one which is not to be had does not keep back the others.
  for (const { debianPackage } of missing()) {
    aptGet('install', '-y', '-qq', '--no-install-recommends', debianPackage);
  }
}
for (const { program, debianPackage } of missing()) {
  console.error(
    `install:bench: could not install ${program}, its transport will be left out. On Debian, as root: ` +
      `apt-get install ${debianPackage}; elsewhere: put ${program} on the path.`,
  );
  process.exitCode = 1;
}

/**
 * A failure is told by apt-get itself, and shows in what is missing afterwards.
 * @param {...string} words
 */
function aptGet(...words) {
  spawnSync('apt-get', words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
