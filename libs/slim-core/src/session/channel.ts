import type { Identity } from '../auth/identity.js';
import type { SlimError } from '../errors/slim-error.js';
import type { SlimName } from '../names/slim-name.js';
import type { Metadata, PublishOptions, SessionMessage, WaitOptions } from './session.js';

/** One member of a channel, as this side knows it. */
export interface ChannelParticipant {
  /** With the id of the instance. */
  readonly name: SlimName;
  /** False when it said so, or has not been heard for some time. */
  readonly online: boolean;
  readonly sendsData: boolean;
  readonly receivesData: boolean;
}

/** What happens in a channel. */
export interface ChannelEvents {
  joined: ChannelParticipant;
  left: ChannelParticipant;
  /** A member went offline or came back. */
  presence: ChannelParticipant;
  /** The keys changed; without MLS it never happens. */
  epoch: bigint;
}

/** How one invitation of several went. */
export interface InvitationResult {
  readonly name: SlimName;
  /** Absent when the member is in. */
  readonly error?: SlimError;
}

/**
 * A conversation of many. One side, which created it, moderates: it alone invites and removes. Iterating
 * gives the messages of all others, each sender's in order; it ends when the channel is closed or this
 * side was removed.
 */
export interface Channel extends AsyncIterable<SessionMessage> {
  readonly kind: 'channel';
  readonly id: number;
  /** `org/namespace/service` of the channel. */
  readonly name: SlimName;
  /** The name this side has in it, with its id. */
  readonly self: SlimName;
  readonly moderator: SlimName;
  readonly moderatorIdentity: Identity | undefined;
  readonly isModerator: boolean;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly metadata: Metadata;
  /** Number of the current key epoch; 0 without MLS. */
  readonly epoch: bigint;
  /** Settles, never fails, when the channel is over for this side: with the reason, if it was another. */
  readonly ended: Promise<SlimError | undefined>;
  /** Everybody in the channel, this side included. */
  participants(): readonly ChannelParticipant[];
  /**
   * Publishes to every member. In a reliable channel it settles when all that were online when it was sent
   * have it or left.
   * @throws SlimError `not-delivered`, `session-closed`, `message-too-large`, `link-closed`
   */
  publish(payload: Uint8Array, options?: PublishOptions): Promise<void>;
  /** Publishes to one member only, outside the order of the others. @throws also `not-a-member` */
  publishTo(
    member: SlimName | string,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void>;
  /** The next message. @throws SlimError `timeout`, `aborted`, `session-closed` */
  next(options?: WaitOptions): Promise<SessionMessage>;
  /**
   * Brings in whoever answers to a name; changes of membership run one after the other.
   * @throws SlimError `not-moderator`, `no-route`, `refused`, `timeout`, `already-a-member`,
   * `mls-failure`, `identity-rejected`
   */
  invite(name: SlimName | string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Invites several, with one change of keys where the protocol allows it; fails for none of them. */
  inviteAll(names: readonly (SlimName | string)[]): Promise<readonly InvitationResult[]>;
  /** Takes a member out; it can read nothing from then on. @throws SlimError `not-moderator`, `not-a-member` */
  remove(name: SlimName | string): Promise<void>;
  /** Tells the others to stop waiting for this side, which then receives nothing. */
  goOffline(): Promise<void>;
  /**
   * Comes back, with new keys when the channel went on meanwhile.
   * @throws SlimError `session-closed` when this side was removed meanwhile, `timeout`, `mls-failure`
   */
  comeBack(): Promise<void>;
  /** Calls back at each event. Returns how to stop. */
  on<Name extends keyof ChannelEvents>(
    name: Name,
    listener: (payload: ChannelEvents[Name]) => void,
  ): () => void;
  onLost(listener: (messageId: number) => void): () => void;
  /** The moderator closes the channel for all, a participant leaves it. May be called twice. */
  close(): Promise<void>;
}
