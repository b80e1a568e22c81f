import 'reflect-metadata';
import type { ModulesContainer } from '@nestjs/core';
import { patternKey, patternText, type SlimPattern } from '../patterns/pattern.js';
import { OperationPattern } from '../patterns/operation-pattern.js';
import type { PatternReader } from '../patterns/pattern-reader.js';

/** Where `MessagePattern` and `EventPattern` leave their patterns on a method; Nest does not export it. */
const patternsKey = 'microservices:pattern';

/** Finds the methods behind patterns: Nest hands over handlers without saying where they come from. */
export class HandlerMethods {
  private readonly modules: ModulesContainer;
  private readonly patterns: PatternReader;

  constructor(modules: ModulesContainer, patterns: PatternReader) {
    this.modules = modules;
    this.patterns = patterns;
  }

  /** The methods with that pattern, however they wrote it, as `Class.method`. */
  of(pattern: unknown): readonly string[] {
    const wanted = this.meaning(pattern);
    const found = new Set<string>();
    for (const { type, method, patterns } of this.handlers()) {
      if (patterns.some((other) => this.meaning(other) === wanted)) found.add(`${type}.${method}`);
    }
    return [...found];
  }

  private *handlers(): Iterable<{
    readonly type: string;
    readonly method: string;
    readonly patterns: readonly unknown[];
  }> {
    for (const module of this.modules.values()) {
      for (const { metatype } of module.controllers.values()) {
        if (!metatype) continue;
        for (const [method, value] of methodsOf(metatype.prototype as object)) {
          const patterns: unknown = Reflect.getMetadata(patternsKey, value);
          if (Array.isArray(patterns)) yield { type: metatype.name, method, patterns };
        }
      }
    }
  }

  /** Equal for patterns that mean the same; for one that means nothing, its text. */
  private meaning(pattern: unknown): string {
    let read: SlimPattern;
    try {
      read = this.patterns.read(pattern);
    } catch {
      // What is wrong with it is reported by whoever asks for its method.
      return patternText(pattern);
    }
    return patternKey(read.name.service, new OperationPattern(read.operation).shape);
  }
}

function* methodsOf(prototype: object): Iterable<readonly [string, object]> {
  for (
    let level: object | null = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function') yield [name, value];
    }
  }
}
