/** What a configuration file holds: plain values, and sections without a prototype. */
export type ConfigValue = string | number | boolean | null | ConfigList | ConfigSection;
export type ConfigList = ConfigValue[];
export interface ConfigSection {
  [key: string]: ConfigValue;
}

/** Where a value was written. */
export interface Origin {
  /** The key path in the file, in the words of the file. */
  readonly path: string;
  readonly line: number | undefined;
  /** The reference that stands there, such as `${env:PASSWORD}`: its value is never shown. */
  readonly reference?: string;
}

/**
 * A file's values, and where each was written. Values move when older spellings are rewritten; what
 * is said about them names the place in the file all the same.
 */
export class ConfigTree {
  readonly #origins = new WeakMap<object, Map<string | number, Origin>>();
  root: ConfigValue = null;

  /** Remembers where the value of `key` in a section or list was written. */
  place(container: object, key: string | number, origin: Origin): void {
    const origins = this.#origins.get(container) ?? new Map<string | number, Origin>();
    origins.set(key, origin);
    this.#origins.set(container, origins);
  }

  /** Where the value of `key` in a section or list was written. */
  originOf(container: object, key: string | number): Origin | undefined {
    return this.#origins.get(container)?.get(key);
  }

  /** Puts what stands at one key at another; what is said about it names the first. */
  move(from: readonly [ConfigSection, string], to: readonly [ConfigSection, string]): void {
    const [section, key] = from;
    const [target, newKey] = to;
    const value = section[key];
    if (value === undefined) return;
    const origin = this.originOf(section, key);
    delete section[key];
    target[newKey] = value;
    if (origin) this.place(target, newKey, origin);
  }

  /** Follows keys from the root; what is not in the file is named after the section it lacks in. */
  locate(keys: readonly (string | number)[]): { origin: Origin; value: ConfigValue | undefined } {
    let value: ConfigValue | undefined = this.root;
    let origin: Origin = { path: '', line: undefined };
    for (const key of keys) {
      const known: Origin | undefined = isContainer(value) ? this.originOf(value, key) : undefined;
      origin = known ?? { ...origin, path: childPath(origin.path, key) };
      value = childOf(value, key);
    }
    return { origin, value };
  }
}

/** The path of a key below a path. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** Whether it is a section, that is, a mapping. */
export function isSection(value: ConfigValue | undefined): value is ConfigSection {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isContainer(value: ConfigValue | undefined): value is ConfigSection | ConfigList {
  return typeof value === 'object' && value !== null;
}

function childOf(value: ConfigValue | undefined, key: string | number): ConfigValue | undefined {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  return isSection(value) ? value[key] : undefined;
}
