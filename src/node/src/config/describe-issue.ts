import type { z } from 'zod';
import type { ConfigIssue } from './config-issue.js';
import type { ConfigTree, ConfigValue, Origin } from './config-tree.js';
import { didYouMean } from './did-you-mean.js';

/** Below these keys stands what is or may be a secret, so no value is shown. */
const secretKeys = new Set([
  ...['auth', 'source', 'ca_source', 'client_ca', 'proxy', 'headers', 'metadata'],
  ...['password', 'secret', 'token', 'key', 'data', 'cert', 'pem', 'custom_claims'],
]);

/** Of what somebody put in a wrong place. */
const MAX_SHOWN = 200;

/** Says of a violation of the schema where it stands, what was expected and, unless secret, what is there. */
export function describeIssue(issue: z.core.$ZodIssue, tree: ConfigTree): ConfigIssue[] {
  const keys = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  const { origin, value } = tree.locate(keys);
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, keys, tree);
  // The name of a section is what is wrong, not what stands in it.
  if (issue.code === 'invalid_key') {
    const [{ message } = issue] = issue.issues;
    return [{ ...placeOf(origin), message: `expected ${message}` }];
  }
  const place = placeOf(origin);
  if (value === undefined) return [{ ...place, message: `missing, expected ${issue.message}` }];
  const shown = showValue(keys, value, origin);
  return [{ ...place, message: `expected ${issue.message}${shown}` }];
}

function unknownKeys(
  { keys: unknown, message }: z.core.$ZodIssueUnrecognizedKeys,
  keys: readonly (string | number)[],
  tree: ConfigTree,
): ConfigIssue[] {
  return unknown.map((key) => {
    const { origin } = tree.locate([...keys, key]);
    const meant = didYouMean(key, message.split(', '));
    const place = placeOf(origin);
    if (meant !== undefined) return { ...place, message: `unknown key, did you mean ${meant}?` };
    // Where a colon or a key was forgotten, the key is what should have been the value.
    const path = isSecretPlace(keys) ? tree.locate(keys).origin.path : place.path;
    return { ...place, path, message: `unknown key, expected one of ${message}` };
  });
}

function showValue(keys: readonly (string | number)[], value: ConfigValue, origin: Origin): string {
  if (origin.reference !== undefined) return `, got the value of ${origin.reference}`;
  if (value === null) return ', got nothing';
  if (Array.isArray(value)) return ', got a list';
  if (typeof value === 'object') return ', got a section';
  if (isSecretPlace(keys)) return ', got something else';
  // A URL may bring user and password.
  if (typeof value === 'string' && value.includes('@')) return ', got a text with "@"';
  return `, got ${shorten(JSON.stringify(value))}`;
}

function isSecretPlace(keys: readonly (string | number)[]): boolean {
  return keys.some((key) => secretKeys.has(String(key)));
}

function placeOf({ path, line }: Origin): Omit<ConfigIssue, 'message'> {
  return { path: shorten(path), line };
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
