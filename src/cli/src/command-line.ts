import { parseArgs, type ParseArgsConfig } from 'node:util';
import { SlimError } from '@nestjs-slim/core';

/** The options a command understands. */
export type Options = NonNullable<ParseArgsConfig['options']>;

/** The options of one command, parsed. */
export interface CommandLine {
  /** The one argument, a name; '' when there is none. */
  readonly target: string;
  text(option: string): string | undefined;
  /** Every value of an option that may be given several times. */
  texts(option: string): readonly string[];
  /** @throws SlimError `invalid-config` unless it is a whole number of at least `min` */
  count(option: string, min: number): number | undefined;
  flag(option: string, otherwise: boolean): boolean;
}

/** What every command that connects to a node understands. */
export const commonOptions = {
  node: { type: 'string' },
  secret: { type: 'string' },
  name: { type: 'string' },
  mls: { type: 'boolean' },
  reliable: { type: 'boolean' },
  timeout: { type: 'string' },
} as const satisfies Options;

/** How many arguments a command takes. */
export type Targets = 'none' | 'one' | 'one or none';

const targetCounts: Readonly<Record<Targets, readonly number[]>> = {
  none: [0],
  one: [1],
  'one or none': [0, 1],
};

/**
 * Parses the words after a command.
 * @throws SlimError `invalid-config` for an unknown option, a missing value, or other arguments than `targets`
 */
export function parseCommandLine(
  words: readonly string[],
  options: Options,
  targets: Targets,
): CommandLine {
  const { values, positionals } = parse(words, options);
  if (!targetCounts[targets].includes(positionals.length)) {
    const expected = targets === 'none' ? 'no argument' : 'one NAME';
    throw new SlimError('invalid-config', `expected ${expected}, got "${positionals.join(' ')}"`);
  }
  const [target = ''] = positionals;
  if (target.includes('#')) {
    const why = 'an operation is part of an envelope, which this command does not write';
    throw new SlimError('invalid-name', `expected org/namespace/service, got "${target}": ${why}`);
  }
  const text = (option: string): string | undefined => {
    const value = values[option];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    target,
    text,
    texts: (option) => {
      const value = values[option];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    count: (option, min) => {
      const value = text(option);
      if (value === undefined) return undefined;
      if (/^\d{1,9}$/.test(value) && Number(value) >= min) return Number(value);
      throw new SlimError(
        'invalid-config',
        `expected a whole number of at least ${min} for --${option}, got "${value}"`,
      );
    },
    flag: (option, otherwise) => {
      const value = values[option];
      return typeof value === 'boolean' ? value : otherwise;
    },
  };
}

function parse(words: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, allowNegative: true });
  } catch (reason) {
    throw SlimError.from(reason, 'invalid-config');
  }
}
