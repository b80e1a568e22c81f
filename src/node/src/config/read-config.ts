import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SlimError } from '@nestjs-slim/core';
import { invalidConfig, type ConfigIssue } from './config-issue.js';
import type { NodeConfig } from './node-config.js';
import type { ConfigResult } from './parse-config.js';
import type { ReferenceSources } from './references.js';

/** The environment and the files of this process. */
export const processSources: ReferenceSources = {
  env: (name) => process.env[name],
  file: (path) => readFileSync(path, 'utf8'),
};

/** Reads a configuration file. @throws SlimError `invalid-config` when there is none to read */
export async function checkConfigFile(file: string): Promise<ConfigResult> {
  const text = await readText(file);
  // Not before it is needed: a node without a file starts faster.
  const { parseConfig } = await import('./parse-config.js');
  return parseConfig(text, processSources);
}

/** A configuration file that is valid. @throws SlimError `invalid-config` with every issue, a line each */
export async function loadConfigFile(
  file: string,
): Promise<{ readonly config: NodeConfig; readonly warnings: readonly ConfigIssue[] }> {
  const result = await checkConfigFile(file);
  if (result.kind === 'valid') return result;
  throw invalidConfig(file, result.issues);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', file);
  }
}
