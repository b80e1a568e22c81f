import { SlimError, SlimName } from '@nestjs-slim/core';

/** Gives the value of a placeholder; undefined when it has none. */
export type PlaceholderResolver = (key: string) => string | undefined;

/** Placeholders are variables of the environment unless the module says otherwise. */
export const environment: PlaceholderResolver = (key) => process.env[key];

/**
 * A text with the value of each `${KEY}` in its place.
 * @throws SlimError `invalid-config` for a placeholder without an end or without a value
 */
export function fillPlaceholders(text: string, resolve: PlaceholderResolver): string {
  if (!text.includes('${')) return text;
  return text.replaceAll(/\$\{([^}]*)(\}?)/g, (placeholder, key: string, end: string) => {
    if (end === '')
      throw new SlimError('invalid-config', `"${placeholder}" in "${text}" has no end`);
    const value = valueOf(placeholder, key, resolve);
    if (value !== undefined) return value;
    throw new SlimError('invalid-config', `nothing gives ${placeholder} in "${text}" a value`);
  });
}

/**
 * The name that a text with placeholders means: of a service, without an instance id.
 * @throws SlimError `invalid-config` for a placeholder without a value, `invalid-name`
 */
export function resolveName(text: string, resolve: PlaceholderResolver): SlimName {
  const name = SlimName.parse(fillPlaceholders(text, resolve));
  if (!name.isInstance) return name;
  throw new SlimError('invalid-name', `"${text}" names an instance`);
}

function valueOf(
  placeholder: string,
  key: string,
  resolve: PlaceholderResolver,
): string | undefined {
  try {
    return resolve(key);
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config', `no value for ${placeholder}`);
  }
}
