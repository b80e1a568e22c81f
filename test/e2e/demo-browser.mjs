// Where a Chromium is, for the test of the demo's page. Run as a program, installs one from Debian's packages
// unless there is one already.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const hint =
  'the test of the page needs Chromium. Install it (on Debian, as root: apt-get install chromium), or say ' +
  'where there is one: CHROMIUM_PATH=/path/to/chromium npm test';

/** The path of a browser; undefined when there is none. */
export function findBrowser() {
  return process.env.CHROMIUM_PATH || places.find((place) => existsSync(place));
}

/** The path of a browser. Throws an error that says what to do when there is none. */
export function browserPath() {
  const found = findBrowser();
  if (!found) throw new Error(`no browser: ${hint}`);
  return found;
}

function aptGet(...words) {
  const { error, status } = spawnSync('apt-get', words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return error === undefined && status === 0;
}

function install() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) return false;
  const packages = ['chromium', 'fonts-dejavu-core'];
  // Lists may be missing or old; an update that fails in part may still be enough.
  aptGet('update', '-qq');
  return aptGet('install', '-y', '-qq', '--no-install-recommends', ...packages);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!findBrowser() && !(install() && findBrowser())) {
    console.error(`install:browser: could not install Chromium; ${hint}`);
    process.exitCode = 1;
  }
}
