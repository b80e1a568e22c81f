import { execFileSync } from 'node:child_process';

/** The short hash of what is checked out; with a plus when files were changed since. */
export function describeCommit() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') && '+'}`;
  } catch {
    return 'unknown'; // Not every copy of the sources is a git repository.
  }
}
