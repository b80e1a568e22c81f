import { SlimError } from '@nestjs-slim/core';
import type { MessageHandler } from '@nestjs/microservices';

/** What answers to one pattern: one message handler, or any number of event handlers. */
export type Handlers =
  | { readonly kind: 'message'; readonly pattern: string; readonly handler: MessageHandler }
  | {
      readonly kind: 'event';
      readonly pattern: string;
      readonly handlers: readonly MessageHandler[];
    };

/** Handlers by the key of their pattern. Nest overwrites or forgets handlers that clash; this refuses. */
export class HandlerTable {
  private readonly byKey = new Map<string, Handlers>();

  get(key: string): Handlers | undefined {
    return this.byKey.get(key);
  }

  /** @throws SlimError `invalid-config` when the pattern has a handler that excludes this one */
  addMessageHandler(key: string, pattern: string, handler: MessageHandler): void {
    const known = this.byKey.get(key);
    if (known) throw clash(key, known, `message handler "${pattern}"`);
    this.byKey.set(key, { kind: 'message', pattern, handler });
  }

  /** @throws SlimError `invalid-config` when the pattern has a message handler */
  addEventHandler(key: string, pattern: string, handler: MessageHandler): void {
    const known = this.byKey.get(key);
    if (known?.kind === 'message') throw clash(key, known, `event handler "${pattern}"`);
    this.byKey.set(key, {
      kind: 'event',
      pattern: known?.pattern ?? pattern,
      handlers: [...(known?.handlers ?? []), handler],
    });
  }
}

function clash(key: string, known: Handlers, added: string): SlimError {
  const first = `${known.kind} handler "${known.pattern}"`;
  return new SlimError('invalid-config', `${first} and ${added} both mean "${key}"`);
}
