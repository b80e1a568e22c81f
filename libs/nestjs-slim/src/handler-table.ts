import { SlimError, type SlimName } from '@nestjs-slim/core';
import type { MessageHandler } from '@nestjs/microservices';
import { parsePattern, patternKey } from './pattern.js';

/** What answers to one pattern: one message handler, or any number of event handlers. */
export type Handlers =
  | { readonly kind: 'message'; readonly pattern: string; readonly handler: MessageHandler }
  | {
      readonly kind: 'event';
      readonly pattern: string;
      readonly handlers: readonly MessageHandler[];
    };

/**
 * Handlers by the key of their pattern: `org/namespace/service#operation`, however they wrote it. Nest
 * overwrites or forgets handlers that clash; this refuses them.
 */
export class HandlerTable {
  private readonly own: SlimName;
  private readonly byKey = new Map<string, Handlers>();
  private readonly services = new Set<string>();

  constructor(own: SlimName) {
    this.own = own;
  }

  /** Names of other services that have handlers here. */
  get aliases(): readonly string[] {
    return [...this.services].filter((service) => service !== this.own.service);
  }

  get(key: string): Handlers | undefined {
    return this.byKey.get(key);
  }

  /**
   * Returns the key of the pattern.
   * @throws SlimError `invalid-name` for a bad pattern, `invalid-config` for one that is taken
   */
  add(pattern: unknown, handler: MessageHandler, isEventHandler: boolean): string {
    const { name, operation } = parsePattern(pattern, this.own);
    const written = String(pattern);
    if (name.isInstance) {
      throw new SlimError('invalid-name', `a handler cannot name an instance: "${written}"`);
    }
    const key = patternKey(name.service, operation);
    const added: Handlers = isEventHandler
      ? { kind: 'event', pattern: written, handlers: [handler] }
      : { kind: 'message', pattern: written, handler };
    this.byKey.set(key, merged(key, this.byKey.get(key), added));
    this.services.add(name.service);
    return key;
  }
}

function merged(key: string, known: Handlers | undefined, added: Handlers): Handlers {
  if (!known) return added;
  if (known.kind === 'event' && added.kind === 'event') {
    return { ...known, handlers: [...known.handlers, ...added.handlers] };
  }
  const [first, second] = [known, added].map(({ kind, pattern }) => `${kind} handler "${pattern}"`);
  throw new SlimError('invalid-config', `${first} and ${second} both mean "${key}"`);
}
