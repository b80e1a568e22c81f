import type { SlimName } from '@nestjs-slim/core';
import { parsePattern, type SlimPattern } from './pattern.js';
import type { PlaceholderResolver } from './placeholders.js';

/** Callers that make up patterns must not fill the memory. */
const maxRemembered = 1_024;

/** Reads patterns, and remembers what texts meant. */
export class PatternReader {
  private readonly base: SlimName | undefined;
  private readonly resolve: PlaceholderResolver;
  private readonly remembered = new Map<unknown, SlimPattern>();

  /** Bare operations belong to `base`. */
  constructor(base: SlimName | undefined, resolve: PlaceholderResolver) {
    this.base = base;
    this.resolve = resolve;
  }

  /** @throws SlimError `invalid-name`, `invalid-config` for a placeholder without a value */
  read(pattern: unknown): SlimPattern {
    const known = this.remembered.get(pattern);
    if (known) return known;
    const read = parsePattern(pattern, this.base, this.resolve);
    if (typeof pattern === 'string') this.remember(pattern, read);
    return read;
  }

  private remember(pattern: string, read: SlimPattern): void {
    if (this.remembered.size === maxRemembered) this.remembered.clear();
    this.remembered.set(pattern, read);
  }
}
