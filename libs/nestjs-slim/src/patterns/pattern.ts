import { SlimError, SlimName } from '@nestjs-slim/core';
import { fillPlaceholders, environment, type PlaceholderResolver } from './placeholders.js';

/** What a pattern means: an operation of a service or, with an id in the name, of one instance. */
export interface SlimPattern {
  readonly name: SlimName;
  /** Empty for the service's default operation. */
  readonly operation: string;
}

const grammar =
  'org/namespace/service, org/namespace/service#operation, operation or { name, operation }';

/**
 * Reads `org/namespace/service`, `org/namespace/service#operation`, either with `/<instance id>` before
 * the `#`, a bare `operation`, which belongs to `base`, or these two as `{ name, operation }`. Texts may
 * have placeholders.
 * @throws SlimError `invalid-name`, `invalid-config` for a placeholder without a value
 */
export function parsePattern(
  pattern: unknown,
  base: SlimName | undefined,
  resolve: PlaceholderResolver = environment,
): SlimPattern {
  if (typeof pattern === 'string') return parseText(fillPlaceholders(pattern, resolve), base);
  const { name, operation } = partsOf(pattern, resolve);
  if (operation !== undefined && operation !== '') checkOperation(pattern, operation);
  if (name !== undefined) return { name: parseName(pattern, name), operation: operation ?? '' };
  return bareOperation(pattern, operation ?? '', base);
}

/** A pattern as a person would write it, for messages. */
export function patternText(pattern: unknown): string {
  return typeof pattern === 'string' ? pattern : describe(pattern);
}

/** The service and the operation of a text that `patternKey` gave. */
export function splitKey(key: string): readonly [service: string, operation: string] {
  const [service = '', operation = ''] = key.split('#');
  return [service, operation];
}

/** The one text for patterns that mean the same; what handlers are found by. */
export function patternKey(service: string, operation: string): string {
  return operation === '' ? service : `${service}#${operation}`;
}

function parseText(text: string, base: SlimName | undefined): SlimPattern {
  if (!text.includes('/')) return bareOperation(text, text, base);
  const [name = '', operation, ...rest] = text.split('#');
  if (rest.length > 0) throw invalid(text, 'expected at most one "#"');
  if (operation !== undefined) checkOperation(text, operation);
  return { name: parseName(text, name), operation: operation ?? '' };
}

/** The texts of a pattern that is an object. */
function partsOf(
  pattern: unknown,
  resolve: PlaceholderResolver,
): { readonly name: string | undefined; readonly operation: string | undefined } {
  if (typeof pattern !== 'object' || pattern === null) {
    throw invalid(pattern, `expected ${grammar}`);
  }
  const { name, operation, ...rest } = pattern as Readonly<Record<string, unknown>>;
  const nameText = name instanceof SlimName ? String(name) : name;
  if (!isTextOrAbsent(nameText) || !isTextOrAbsent(operation) || Object.keys(rest).length > 0) {
    throw invalid(pattern, `expected ${grammar}`);
  }
  const filled = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : fillPlaceholders(text, resolve);
  return { name: filled(nameText), operation: filled(operation) };
}

function isTextOrAbsent(part: unknown): part is string | undefined {
  return typeof part === 'string' || part === undefined;
}

function bareOperation(
  pattern: unknown,
  operation: string,
  base: SlimName | undefined,
): SlimPattern {
  checkOperation(pattern, operation);
  if (base) return { name: base, operation };
  throw invalid(pattern, 'a client without a target needs org/namespace/service#operation');
}

function checkOperation(pattern: unknown, operation: string): void {
  if (/^[^\s#/]+$/.test(operation)) return;
  throw invalid(pattern, 'an operation is not empty and has no white space, "#" or "/"');
}

function parseName(pattern: unknown, name: string): SlimName {
  if (name.includes('#')) throw invalid(pattern, 'a name has no "#"');
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
    return JSON.stringify(pattern, asWritten) ?? String(pattern);
  } catch {
    // Only for the message of an error that is thrown anyway.
    return typeof pattern;
  }
}

function asWritten(_: string, value: unknown): unknown {
  return value instanceof SlimName ? String(value) : value;
}
