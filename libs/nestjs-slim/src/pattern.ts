import { SlimError, SlimName } from '@nestjs-slim/core';

/** What a pattern means: an operation of a service or, with an id in the name, of one instance. */
export interface SlimPattern {
  readonly name: SlimName;
  /** Empty for the service's default operation. */
  readonly operation: string;
}

const grammar = 'org/namespace/service, org/namespace/service#operation or operation';

/**
 * Reads `org/namespace/service`, `org/namespace/service#operation`, either with `/<instance id>` before
 * the `#`, or a bare `operation`, which belongs to `base`.
 * @throws SlimError `invalid-name`
 */
export function parsePattern(pattern: unknown, base: SlimName | undefined): SlimPattern {
  if (typeof pattern !== 'string') throw invalid(pattern, `expected ${grammar}`);
  if (!pattern.includes('/')) return bareOperation(pattern, base);
  const [name = '', operation, ...rest] = pattern.split('#');
  if (rest.length > 0) throw invalid(pattern, 'expected at most one "#"');
  if (operation !== undefined) checkOperation(pattern, operation);
  return { name: parseName(pattern, name), operation: operation ?? '' };
}

/** The one text for patterns that mean the same; what handlers are found by. */
export function patternKey(service: string, operation: string): string {
  return operation === '' ? service : `${service}#${operation}`;
}

function bareOperation(pattern: string, base: SlimName | undefined): SlimPattern {
  checkOperation(pattern, pattern);
  if (base) return { name: base, operation: pattern };
  throw invalid(pattern, 'a client without a target needs org/namespace/service#operation');
}

function checkOperation(pattern: string, operation: string): void {
  if (/^[^\s#/]+$/.test(operation)) return;
  throw invalid(pattern, 'an operation is not empty and has no white space, "#" or "/"');
}

function parseName(pattern: string, name: string): SlimName {
  try {
    return SlimName.parse(name);
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : grammar;
    throw invalid(pattern, why, reason);
  }
}

function invalid(pattern: unknown, why: string, cause?: unknown): SlimError {
  const text = typeof pattern === 'string' ? `"${pattern}"` : describe(pattern);
  return new SlimError('invalid-name', `not a SLIM pattern: ${text}; ${why}`, { cause });
}

function describe(pattern: unknown): string {
  try {
    return JSON.stringify(pattern) ?? String(pattern);
  } catch {
    // Only for the message of an error that is thrown anyway.
    return typeof pattern;
  }
}
