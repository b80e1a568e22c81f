import { execFile } from 'node:child_process';

const limitMs = 180_000;

/**
 * Runs a command to its end.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>} what it wrote to standard output
 * @throws {Error} with all that it wrote when it fails or takes too long
 */
export function command(file, args, { cwd, env }) {
  const options = { cwd, env: { ...process.env, ...env }, timeout: limitMs, maxBuffer: 2 ** 26 };
  return new Promise((resolve, reject) => {
    execFile(file, args, options, (failure, stdout, stderr) => {
      if (!failure) return resolve(stdout);
      const how = failure.killed ? `took longer than ${limitMs} ms` : `ended with ${failure.code}`;
      reject(new Error(`${[file, ...args].join(' ')}: ${how}\n${stdout}${stderr}`));
    });
  });
}

/** `npm install` of what the package.json in that folder asks for. */
export function npmInstall(cwd) {
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'];
  return command('npm', ['install', ...quiet], { cwd });
}
