import { SlimError } from '@nestjs-slim/core';
import type { ConfigIssue } from './config-issue.js';
import type { ConfigList, ConfigSection, ConfigTree, ConfigValue } from './config-tree.js';

/** Where the values of references come from. */
export interface ReferenceSources {
  /** The value of an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file. @throws when it cannot be read */
  readonly file: (path: string) => string;
}

/**
 * Replaces strings that are entirely `${env:NAME}` or `${file:PATH}`, as the official node does: within
 * a longer string nothing is replaced, and a file's text is taken with its final newline.
 */
export function resolveReferences(tree: ConfigTree, sources: ReferenceSources): ConfigIssue[] {
  const issues: ConfigIssue[] = [];

  const replace = (container: ConfigSection | ConfigList, key: string | number): void => {
    const origin = tree.originOf(container, key);
    const value = childAt(container, key);
    if (typeof value !== 'string') return visit(value);
    const inside = /^\$\{(.*)\}$/s.exec(value)?.[1];
    if (inside === undefined || !origin) return;
    try {
      setChild(container, key, valueOf(inside, sources));
      tree.place(container, key, { ...origin, reference: value });
    } catch (reason) {
      const { message } = SlimError.from(reason, 'invalid-config');
      issues.push({ path: origin.path, line: origin.line, message });
    }
  };
  const visit = (value: ConfigValue | undefined): void => {
    if (typeof value !== 'object' || value === null) return;
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys) replace(value, key);
  };

  visit(tree.root);
  return issues;
}

function valueOf(reference: string, { env, file }: ReferenceSources): string {
  const [, kind, name] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  if (name === undefined) {
    throw new SlimError('invalid-config', 'expected ${env:NAME} or ${file:PATH}');
  }
  if (kind === 'env') {
    const value = env(name);
    if (value !== undefined) return value;
    throw new SlimError('invalid-config', `the environment variable ${name} is not set`);
  }
  try {
    return file(name);
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', `the file ${name} cannot be read`);
  }
}

function childAt(container: ConfigSection | ConfigList, key: string | number) {
  return Array.isArray(container) ? container[Number(key)] : container[key];
}

function setChild(container: ConfigSection | ConfigList, key: string | number, value: string) {
  if (Array.isArray(container)) container[Number(key)] = value;
  else container[key] = value;
}
