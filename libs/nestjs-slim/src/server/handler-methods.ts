import 'reflect-metadata';
import type { ModulesContainer } from '@nestjs/core';
import { patternKey, patternText } from '../patterns/pattern.js';
import { OperationPattern } from '../patterns/operation-pattern.js';
import type { PatternReader } from '../patterns/pattern-reader.js';

/** Where `MessagePattern` and `EventPattern` leave what they are given; Nest does not export it. */
const patternsKey = 'microservices:pattern';
const transportKey = 'microservices:transport';

/** Finds the methods behind patterns: Nest hands over handlers without saying where they come from. */
export class HandlerMethods {
  private readonly modules: ModulesContainer;
  private readonly patterns: PatternReader;

  constructor(modules: ModulesContainer, patterns: PatternReader) {
    this.modules = modules;
    this.patterns = patterns;
  }

  /** The methods with that pattern on a transport, however they wrote it, as `Class.method`. */
  of(pattern: unknown, transportId: unknown): readonly string[] {
    const wanted = this.meaning(pattern);
    const found = new Set<string>();
    for (const { type, method, transport, patterns } of this.handlers()) {
      if (transport !== undefined && transport !== transportId) continue;
      if (patterns.some((other) => this.meaning(other) === wanted)) found.add(`${type}.${method}`);
    }
    return [...found];
  }

  private *handlers(): Iterable<{
    readonly type: string;
    readonly method: string;
    readonly transport: unknown;
    readonly patterns: readonly unknown[];
  }> {
    for (const module of this.modules.values()) {
      for (const { metatype } of module.controllers.values()) {
        if (!metatype) continue;
        for (const [method, value] of methodsOf(metatype.prototype as object)) {
          const patterns: unknown = Reflect.getMetadata(patternsKey, value);
          const transport: unknown = Reflect.getMetadata(transportKey, value);
          if (Array.isArray(patterns)) yield { type: metatype.name, method, transport, patterns };
        }
      }
    }
  }

  /** Equal for patterns that mean the same; for one that means nothing, its text. */
  private meaning(pattern: unknown): string {
    try {
      const { name, operation } = this.patterns.read(pattern);
      return patternKey(String(name), new OperationPattern(operation).shape);
    } catch {
      // What is wrong with it is reported by whoever asks for its method.
      return patternText(pattern);
    }
  }
}

/** Own methods and inherited ones, unless they are overridden. */
function* methodsOf(prototype: object): Iterable<readonly [string, object]> {
  const seen = new Set<string>();
  for (
    let level: object | null = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && !seen.has(name)) yield [name, value];
      seen.add(name);
    }
  }
}
