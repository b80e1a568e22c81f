import { SlimError } from '@nestjs-slim/core';

/** One thing that a configuration file says wrongly, or says in vain. */
export interface ConfigIssue {
  /** Where it stands, as `services.slim/0.dataplane.servers[0].tls`; empty for the file itself. */
  readonly path: string;
  /** Counted from 1; undefined where nothing stands in the file. */
  readonly line: number | undefined;
  readonly message: string;
}

/** A line of text that names file, line and key path. */
export function formatIssue(file: string, { path, line, message }: ConfigIssue): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`;
}

/** All that is wrong with a file as one error, the first line of which is the first issue. */
export function invalidConfig(file: string, issues: readonly ConfigIssue[]): SlimError {
  const lines = issues.map((issue) => formatIssue(file, issue));
  return new SlimError('invalid-config', lines.join('\n'));
}
