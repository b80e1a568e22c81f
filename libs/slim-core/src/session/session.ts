import type { Identity } from '../auth/identity.js';
import type { SlimError } from '../errors/slim-error.js';
import type { SlimName } from '../names/slim-name.js';

/** Text by text; what travels beside a payload, readable for the nodes in between. */
export type Metadata = Readonly<Record<string, string>>;

/** How a payload is published. */
export interface PublishOptions {
  /** What the payload is; `msg` unless given, as with the official SDK. Not encrypted. */
  readonly payloadType?: string;
  /** Not encrypted. */
  readonly metadata?: Metadata;
  /** Gives up waiting for room; a message already under way is not taken back. */
  readonly signal?: AbortSignal;
}

/** How long a wait for a message may take. */
export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A message as the application gets it. The bytes belong to the application. */
export interface SessionMessage {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly metadata: Metadata;
  /** Full name of the sender. */
  readonly source: SlimName;
  /** What the sender's verified token says. */
  readonly identity: Identity;
  /**
   * The sender's number for it, not encrypted: with session and sender it names one message, here and in the
   * frames that nodes see. Not for ordering: messages to one member have numbers outside the sequence.
   */
  readonly messageId: number;
  /** Publishes back on the session the message came from. */
  readonly reply: (payload: Uint8Array, options?: PublishOptions) => Promise<void>;
}

/**
 * A conversation between two applications. Iterating it gives the messages of the other side; the
 * iteration ends when either side closes, and throws `peer-lost` when the other side vanished.
 */
export interface Session extends AsyncIterable<SessionMessage> {
  readonly kind: 'session';
  readonly id: number;
  /** The name this side has in the session, with its id. */
  readonly name: SlimName;
  /** The other side, one instance. */
  readonly peer: SlimName;
  readonly peerIdentity: Identity;
  /** True for the side that opened the session. */
  readonly isInitiator: boolean;
  /** True when payloads are end-to-end encrypted. */
  readonly mls: boolean;
  /** True when messages are acknowledged, repeated and put in order. */
  readonly reliable: boolean;
  /** What the side that opened the session attached to it. */
  readonly metadata: Metadata;
  /** Settles, never fails, when the session is over: with the reason, if it was not this side. */
  readonly ended: Promise<SlimError | undefined>;
  /**
   * Publishes to the other side. In a reliable session it settles once acknowledged, otherwise once
   * the link took it; awaiting it is the backpressure. The bytes are copied or sent before it settles.
   * @throws SlimError `not-delivered`, `session-closed`, `peer-lost`, `message-too-large`, `link-closed`
   */
  publish(payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /**
   * The next message; each goes to one reader only.
   * @throws SlimError `timeout`, `aborted`, `session-closed`, `peer-lost`
   */
  next(options?: WaitOptions): Promise<SessionMessage>;
  /** Publishes, then waits for the next message of the other side, which ends the timeout. */
  request(payload: Uint8Array, options?: PublishOptions & WaitOptions): Promise<SessionMessage>;
  /** Calls back for each message that is known to be lost. Returns how to stop. */
  onLost(listener: (messageId: number) => void): () => void;
  /** Lets messages under way arrive, then tells the other side. May be called twice. */
  close(): Promise<void>;
}
