import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { Incoming } from './incoming.js';

/** A message of a verified sender that cannot be opened yet. */
export interface EarlyMessage {
  readonly incoming: Incoming;
  readonly identity: Identity;
}

const maxEarly = 512;

/** Messages of an epoch that this side has not reached, kept until the commit is applied. */
export class EarlyMessages {
  #messages: EarlyMessage[] = [];

  /** @throws SlimError `backpressure`; the message is not acknowledged, so it comes again */
  push(message: EarlyMessage): void {
    if (this.#messages.length >= maxEarly) {
      throw new SlimError('backpressure', 'too many messages of a later epoch');
    }
    this.#messages.push(message);
  }

  /** All of them, which are kept no longer. */
  take(): readonly EarlyMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }
}
