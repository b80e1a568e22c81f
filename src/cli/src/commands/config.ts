import { SlimError } from '@nestjs-slim/core';
import { checkConfigFile, formatIssue } from '@nestjs-slim/node';
import { print } from '../output.js';

/** `slim config check FILE`: says whether a node could run with a file, and if not, all that is wrong. */
export async function config(words: readonly string[]): Promise<void> {
  const [action, file, ...more] = words;
  if (action !== 'check' || file === undefined || file.startsWith('--') || more.length > 0) {
    throw new SlimError('invalid-config', `expected config check FILE, got "${words.join(' ')}"`);
  }
  const result = await checkConfigFile(file);
  if (result.kind === 'valid') return print('valid', { file, warnings: result.warnings });
  for (const issue of result.issues) {
    const { path, line } = issue;
    const message = formatIssue(file, issue);
    print('error', { code: 'invalid-config', file, line, path, message });
  }
  process.exitCode = 1;
}
