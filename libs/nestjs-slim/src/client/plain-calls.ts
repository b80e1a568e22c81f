import { SlimError, type Metadata, type SessionMessage, type SlimName } from '@nestjs-slim/core';
import { readForeign, writeForeign } from '../payload/foreign-payload.js';
import type { ClientCall } from './client-call.js';
import type { ClientLife } from './client-life.js';
import type { Delivery } from './delivery.js';
import { isLoss } from './loss.js';
import { PlainSessions } from './plain-sessions.js';

/** What is asked of, or told to, an application that knows nothing of Nest. */
export interface PlainMessage {
  readonly data: unknown;
  readonly payloadType: string;
  /** Readable for the nodes in between. */
  readonly metadata: Metadata;
  readonly delivery: Delivery;
}

/**
 * Calls to applications of other kinds: a payload as it is, answered by the next message. Nothing in it
 * says which question an answer belongs to, so a session has one question at a time.
 */
export class PlainCalls {
  private readonly sessions: PlainSessions;

  constructor(life: ClientLife) {
    this.sessions = new PlainSessions(life);
  }

  /**
   * Asks; the call gets the answer.
   * @throws SlimError as `Session.request` and `SlimApp.openSession`; what the answer says, when it is an error
   */
  async request(target: SlimName, message: PlainMessage, call: ClientCall): Promise<void> {
    const { payload, payloadType } = written(message);
    const { metadata, delivery } = message;
    const session = await this.sessions.take(target, delivery);
    if (call.isOver) return this.sessions.give(session);
    const wait = new AbortController();
    call.routed({ cancel: () => wait.abort(), grant: () => undefined }, 0);
    let answer: SessionMessage;
    try {
      answer = await session.request(payload, { payloadType, metadata, signal: wait.signal });
    } catch (reason) {
      // Whatever is answered later must not be taken for the answer to the next question.
      void this.sessions.drop(session);
      throw reason;
    }
    this.sessions.give(session);
    const value = readForeign(answer);
    if (answer.metadata['slim-error'] === 'true') throw value;
    call.item(value, { sequence: 0, last: true });
  }

  /** @throws SlimError as `Session.publish` and `SlimApp.openSession` */
  async emit(target: SlimName, message: PlainMessage): Promise<void> {
    const { payload, payloadType } = written(message);
    const { metadata, delivery } = message;
    const session = await this.sessions.toTell(target, delivery);
    try {
      await session.publish(payload, { payloadType, metadata });
    } catch (reason) {
      // The next one looks for somebody else.
      if (isLoss(reason)) void this.sessions.drop(session);
      throw reason;
    }
  }

  /** Ends every session: the life of the client is over. */
  close(): Promise<void> {
    return this.sessions.close();
  }
}

function written({ data, payloadType }: PlainMessage): {
  readonly payload: Uint8Array;
  readonly payloadType: string;
} {
  const foreign = writeForeign(data);
  if (!foreign) throw new SlimError('malformed-frame', 'undefined cannot be sent as a payload');
  return { payload: foreign.payload, payloadType };
}
