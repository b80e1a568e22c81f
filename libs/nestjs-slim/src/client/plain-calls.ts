import {
  SlimError,
  type Metadata,
  type Session,
  type SessionMessage,
  type SlimName,
} from '@nestjs-slim/core';
import type { SlimConnection } from '../slim-connection.js';
import type { ClientCall } from './client-call.js';
import { readForeign, writeForeign } from '../payload/foreign-payload.js';

/** What is asked of, or told to, an application that knows nothing of Nest. */
export interface PlainMessage {
  readonly data: unknown;
  readonly payloadType: string;
  /** Readable for the nodes in between. */
  readonly metadata: Metadata;
}

/**
 * Calls to applications of other kinds: a payload as it is, answered by the next message. Nothing in it
 * says which question an answer belongs to, so a session has one question at a time.
 */
export class PlainCalls {
  private readonly connection: SlimConnection;
  private readonly abortion = new AbortController();
  private readonly idle = new Map<string, Session[]>();
  private readonly sessions = new Set<Session>();

  constructor(connection: SlimConnection) {
    this.connection = connection;
  }

  /**
   * Asks; the call gets the answer.
   * @throws SlimError as `Session.request` and `SlimApp.openSession`; what the answer says, when it is an error
   */
  async request(target: SlimName, message: PlainMessage, call: ClientCall): Promise<void> {
    const { payload, payloadType } = written(message);
    const { metadata } = message;
    const session = await this.take(target);
    const wait = new AbortController();
    call.route = { cancel: () => wait.abort(), grant: () => undefined };
    let answer: SessionMessage;
    try {
      if (call.isOver) wait.abort();
      answer = await session.request(payload, { payloadType, metadata, signal: wait.signal });
    } catch (reason) {
      // Whatever is answered later must not be taken for the answer to the next question.
      void this.drop(session);
      throw reason;
    }
    this.give(target, session);
    const value = readForeign(answer);
    if (answer.metadata['slim-error'] === 'true') throw value;
    call.item(value, { sequence: 0, last: true });
  }

  /** @throws SlimError as `Session.publish` and `SlimApp.openSession` */
  async emit(target: SlimName, message: PlainMessage): Promise<void> {
    const { payload, payloadType } = written(message);
    const session = await this.take(target);
    try {
      await session.publish(payload, { payloadType, metadata: message.metadata });
      this.give(target, session);
    } catch (reason) {
      void this.drop(session);
      throw reason;
    }
  }

  /** Ends every session and every attempt to open one. */
  async close(): Promise<void> {
    this.abortion.abort(new SlimError('aborted', 'the client is closed'));
    await Promise.all([...this.sessions].map((session) => this.drop(session)));
  }

  private async take(target: SlimName): Promise<Session> {
    const session = this.idle.get(String(target))?.pop();
    if (session) return session;
    const app = await this.connection.connect();
    const { mls, reliable, discoveryMs } = this.connection.settings;
    const { signal } = this.abortion;
    if (signal.aborted) throw new SlimError('aborted', 'the client is closed');
    const opened = await app.openSession(target, { mls, reliable, discoveryMs, signal });
    this.sessions.add(opened);
    this.connection.announce(opened);
    void opened.ended.then(() => this.forget(target, opened));
    return opened;
  }

  private give(target: SlimName, session: Session): void {
    if (!this.sessions.has(session)) return;
    const key = String(target);
    const idle = this.idle.get(key);
    if (idle) idle.push(session);
    else this.idle.set(key, [session]);
  }

  private forget(target: SlimName, session: Session): void {
    const key = String(target);
    this.sessions.delete(session);
    const left = this.idle.get(key)?.filter((other) => other !== session) ?? [];
    if (left.length > 0) this.idle.set(key, left);
    else this.idle.delete(key);
  }

  private async drop(session: Session): Promise<void> {
    this.sessions.delete(session);
    await session.close();
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
