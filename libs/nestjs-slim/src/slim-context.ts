import type {
  Channel,
  Identity,
  Metadata,
  Session,
  SessionMessage,
  SlimName,
} from '@nestjs-slim/core';
import { BaseRpcContext } from '@nestjs/microservices';

/** What a context tells of one message. */
export interface SlimContextDetails {
  /** `org/namespace/service#operation`, however the handler wrote it. */
  readonly pattern: string;
  readonly operation: string;
  /** What the wildcards of the handler's pattern stand for. */
  readonly params: Readonly<Record<string, string>>;
  readonly session: Session | Channel;
  readonly message: SessionMessage;
  readonly metadata: Metadata;
  /** Made only for whoever asks. */
  readonly signal: () => AbortSignal;
  /** Milliseconds until the caller gives up, if it said so. */
  readonly timeLeftMs: () => number | undefined;
  readonly isForeign: boolean;
}

/** What a handler gets by `@Ctx()`: who asks, by which name, and whether they still wait. */
export class SlimContext extends BaseRpcContext<[SlimContextDetails]> {
  constructor(details: SlimContextDetails) {
    super([details]);
  }

  /** `org/namespace/service` or `org/namespace/service#operation`. */
  getPattern(): string {
    return this.args[0].pattern;
  }

  /** Full name of this side, with the id of the instance that handles the message. */
  getName(): SlimName {
    const { session } = this.args[0];
    return session.kind === 'channel' ? session.self : session.name;
  }

  /** What comes after the `#` of the pattern; empty for the service's default operation. */
  getOperation(): string {
    return this.args[0].operation;
  }

  /** What the wildcards of the handler's pattern stand for, by name; `*` by number, `**` by itself. */
  getParams(): Readonly<Record<string, string>> {
    return this.args[0].params;
  }

  /** The same message for a handler whose wildcards stand for something else. */
  withParams(params: Readonly<Record<string, string>>): SlimContext {
    return new SlimContext({ ...this.args[0], params });
  }

  /** Full name of the sender, with its instance id. */
  getSource(): SlimName {
    return this.args[0].message.source;
  }

  /** Full name the message was sent to: this side's, or the channel's. */
  getDestination(): SlimName {
    return this.args[0].session.name;
  }

  /** What the sender's verified token says. */
  getIdentity(): Identity {
    return this.args[0].message.identity;
  }

  /** What the sender attached. A foreign peer's metadata was readable for the nodes in between. */
  getMetadata(): Metadata {
    return this.args[0].metadata;
  }

  /** The session of two or the channel that the message came by; `kind` tells which. */
  getSession(): Session | Channel {
    return this.args[0].session;
  }

  /** Number of the message in its session; of a channel, among those of its sender. */
  getMessageId(): number {
    return this.args[0].message.messageId;
  }

  /** True when messages of the session are acknowledged, repeated and put in order. */
  isReliable(): boolean {
    return this.args[0].session.reliable;
  }

  /** True when the message was end-to-end encrypted. */
  isEncrypted(): boolean {
    return this.args[0].session.mls;
  }

  /** The message as the session gave it. */
  getMessage(): SessionMessage {
    return this.args[0].message;
  }

  /**
   * Aborted when nobody waits for the answer any more: cancelled, past its deadline, session over or
   * server closed. For an event only when the server is closed.
   */
  getSignal(): AbortSignal {
    return this.args[0].signal();
  }

  /** Milliseconds until the caller gives up waiting for a first reply; undefined when it set no limit. */
  getDeadline(): number | undefined {
    return this.args[0].timeLeftMs();
  }

  /** True when the sender is not of this library, so that payload and reply are plain bytes. */
  isForeign(): boolean {
    return this.args[0].isForeign;
  }
}
