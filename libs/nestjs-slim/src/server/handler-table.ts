import { SlimError, type SlimName } from '@nestjs-slim/core';
import type { MessageHandler } from '@nestjs/microservices';
import { OperationPattern, type Params } from '../patterns/operation-pattern.js';
import { patternKey, patternText } from '../patterns/pattern.js';
import type { PatternReader } from '../patterns/pattern-reader.js';

/** A handler for one message, and what the wildcards of its pattern stand for in it. */
export interface Match {
  readonly handler: MessageHandler;
  readonly params: Params;
}

type Kind = 'message' | 'event';

/** A handler with what it calls its wildcards. */
interface Registered {
  readonly handler: MessageHandler;
  readonly operation: OperationPattern;
}

/** One pattern: a message handler, or any number of event handlers. */
interface Entry {
  readonly kind: Kind;
  /** As a person wrote it. */
  readonly pattern: string;
  /** That of the first handler; those of the others have the same shape. */
  readonly operation: OperationPattern;
  readonly handlers: readonly Registered[];
}

/**
 * Handlers by what they answer to, `org/namespace/service#operation`, however they wrote it. Nest
 * overwrites or forgets handlers that clash; this refuses them.
 */
export class HandlerTable {
  private readonly own: SlimName;
  private readonly patterns: PatternReader;
  /** By the key of the pattern; those with wildcards by that of their shape. */
  private readonly byKey = new Map<string, Entry>();
  /** Patterns with wildcards by service, those that leave less open first. */
  private readonly wildcards = new Map<string, readonly Entry[]>();
  private readonly services = new Set<string>();

  constructor(own: SlimName, patterns: PatternReader) {
    this.own = own;
    this.patterns = patterns;
  }

  /** Names of other services that have handlers here. */
  get aliases(): readonly string[] {
    return [...this.services].filter((service) => service !== this.own.service);
  }

  /** The message handler for an operation: of several that match, the one that leaves least open. */
  message(service: string, operation: string): Match | undefined {
    const [exact] = this.exact(service, operation, 'message');
    return exact ?? this.matching(service, operation, 'message')[0];
  }

  /** Every event handler for an operation. */
  events(service: string, operation: string): readonly Match[] {
    const exact = this.exact(service, operation, 'event');
    return [...exact, ...this.matching(service, operation, 'event')];
  }

  /**
   * Returns the key of the pattern.
   * @throws SlimError `invalid-name` for a bad pattern, `invalid-config` for one that is taken
   */
  add(pattern: unknown, handler: MessageHandler, isEventHandler: boolean): string {
    const { name, operation: text } = this.patterns.read(pattern);
    const written = patternText(pattern);
    if (name.isInstance) {
      throw new SlimError('invalid-name', `a handler cannot name an instance: "${written}"`);
    }
    const operation = new OperationPattern(text);
    const key = patternKey(name.service, operation.shape);
    const kind = isEventHandler ? 'event' : 'message';
    const handlers = [{ handler, operation }];
    this.byKey.set(
      key,
      merged(key, this.byKey.get(key), { kind, pattern: written, operation, handlers }),
    );
    this.services.add(name.service);
    if (!operation.isExact) this.sortWildcards(name.service);
    return key;
  }

  private exact(service: string, operation: string, kind: Kind): readonly Match[] {
    const entry = this.byKey.get(patternKey(service, operation));
    if (!entry?.operation.isExact || entry.kind !== kind) return [];
    return entry.handlers.map(({ handler }) => ({ handler, params: noParams }));
  }

  private matching(service: string, operation: string, kind: Kind): readonly Match[] {
    const found: Match[] = [];
    for (const entry of this.wildcards.get(service) ?? []) {
      if (entry.kind !== kind) continue;
      for (const registered of entry.handlers) {
        const params = registered.operation.match(operation);
        if (params) found.push({ handler: registered.handler, params });
      }
    }
    return found;
  }

  private sortWildcards(service: string): void {
    const entries = [...this.byKey]
      .filter(([key, { operation }]) => !operation.isExact && key.startsWith(`${service}#`))
      .map(([, entry]) => entry)
      .toSorted((one, other) => OperationPattern.bySpecificity(one.operation, other.operation));
    this.wildcards.set(service, entries);
  }
}

const noParams: Params = {};

function merged(key: string, known: Entry | undefined, added: Entry): Entry {
  if (!known) return added;
  if (known.kind === 'event' && added.kind === 'event') {
    return { ...known, handlers: [...known.handlers, ...added.handlers] };
  }
  const [first, second] = [known, added].map(({ kind, pattern }) => `${kind} handler "${pattern}"`);
  throw new SlimError('invalid-config', `${first} and ${second} both mean "${key}"`);
}
