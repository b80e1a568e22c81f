import { formatIssue } from '../config-issue.js';
import type { NodeConfig } from '../node-config.js';
import { parseConfig } from '../parse-config.js';

/** What references may name: two variables and one file. */
const sources = {
  env: (name: string) => ({ PASSWORD: 'from the environment', LEVEL: 'loud' })[name],
  file: (path: string) => {
    if (path === '/token') return 'from a file\n';
    throw new Error('ENOENT: no such file');
  },
};

/** What is wrong with a file, a line each. */
export function wrong(text: string): string[] {
  const result = parseConfig(text, sources);
  return result.kind === 'invalid' ? result.issues.map((issue) => formatIssue('f', issue)) : [];
}

/** What a file says, and what is odd about it, a line each. @throws Error when something is wrong with it */
export function valid(text: string): { config: NodeConfig; warnings: string[] } {
  const result = parseConfig(text, sources);
  if (result.kind === 'invalid') throw new Error(wrong(text).join('\n'));
  const warnings = result.warnings.map((issue) => formatIssue('f', issue));
  return { config: result.config, warnings };
}
