import type { Incoming } from './incoming.js';

/** Control messages that are remembered; as many as native peers remember. */
const maxHandled = 1_000;

/**
 * What one side of a channel remembers beyond its membership, since it may be invited again: which control
 * messages it has acted on, because a network may bring one twice and late, and the number of its last
 * message, because a receiver that missed its leaving expects the numbers to go on.
 */
export class ChannelMemory {
  lastMessageId = 0;
  readonly #handled = new Set<string>();

  has(incoming: Incoming): boolean {
    return this.#handled.has(keyOf(incoming));
  }

  /** Returns false when the message was acted on before. */
  add(incoming: Incoming): boolean {
    const key = keyOf(incoming);
    if (this.#handled.has(key)) return false;
    this.#handled.add(key);
    const [oldest] = this.#handled;
    if (this.#handled.size > maxHandled && oldest !== undefined) this.#handled.delete(oldest);
    return true;
  }
}

/** A request and its answer may have one id, so the type is part of it (reference: sessions 8.3). */
function keyOf({ source, session }: Incoming): string {
  return `${source.key} ${session.messageType} ${session.messageId}`;
}
