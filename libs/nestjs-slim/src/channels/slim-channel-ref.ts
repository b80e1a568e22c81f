import type {
  ChannelParticipant,
  Identity,
  Metadata,
  PublishOptions,
  SlimName,
} from '@nestjs-slim/core';
import { defer, type Observable } from 'rxjs';

/** How a value is published to a channel. */
export interface SlimPublishOptions extends Pick<PublishOptions, 'signal'> {
  /** Encrypted with the value, unless it is plain. */
  readonly metadata?: Metadata;
  /**
   * As bytes, text or JSON without our envelope, for members that know nothing of Nest. Ours can read it
   * too, as they read those members.
   */
  readonly plain?: boolean;
  /** To this member only. */
  readonly to?: SlimName | string;
}

/** A message of another member. */
export interface SlimChannelMessage<Data = unknown> {
  readonly data: Data;
  readonly source: SlimName;
  readonly identity: Identity;
  readonly metadata: Metadata;
  /** True when the sender is not of this library. */
  readonly isForeign: boolean;
}

/** What a reference refers to: this side of a channel, whether it is in it at the moment or not. */
export interface ChannelSide {
  readonly name: string;
  readonly messages$: Observable<SlimChannelMessage>;
  whenOpen(): Promise<void>;
  readonly epoch: bigint;
  participants(): readonly ChannelParticipant[];
  publish(value: unknown, options: SlimPublishOptions): Promise<void>;
  invite(name: SlimName | string): Promise<void>;
  remove(name: SlimName | string): Promise<void>;
  close(): Promise<void>;
}

/** One side of a channel, to be injected. It stays the same however often the channel is joined. */
export class SlimChannelRef {
  /** A reference may be injected before the classes of the application are known. */
  private readonly side: () => ChannelSide;

  constructor(side: () => ChannelSide) {
    this.side = side;
  }

  /** `org/namespace/service`, placeholders resolved. */
  get name(): string {
    return this.side().name;
  }

  /**
   * Settles when this side is in the channel: created, as a moderator, or joined.
   * @throws SlimError `session-closed` when it is closed before
   */
  get ready(): Promise<void> {
    return this.side().whenOpen();
  }

  /** Messages of the others from the time of subscription on. Completes when this side is closed. */
  get messages$(): Observable<SlimChannelMessage> {
    return defer(() => this.side().messages$);
  }

  /**
   * Number of the current key epoch, which every change of membership raises; 0 without MLS and while this
   * side is not in the channel.
   */
  get epoch(): bigint {
    return this.side().epoch;
  }

  /** Everybody in the channel, this side included; nobody while this side is not in it. */
  participants(): readonly ChannelParticipant[] {
    return this.side().participants();
  }

  /**
   * Publishes to every other member. In a reliable channel it settles when all that are online have it.
   * @throws SlimError `not-a-member` while this side is not in the channel, or when `to` is not, and as
   * `Channel.publish`
   */
  publish(value: unknown, options: SlimPublishOptions = {}): Promise<void> {
    return this.side().publish(value, options);
  }

  /** Brings in whoever answers to a name, once. @throws SlimError as `Channel.invite` */
  invite(name: SlimName | string): Promise<void> {
    return this.side().invite(name);
  }

  /** Takes a member out, and off the list of the class. @throws SlimError as `Channel.remove` */
  remove(name: SlimName | string): Promise<void> {
    return this.side().remove(name);
  }

  /** For good: a moderator ends the channel for all, a participant leaves and accepts no invitation to it. */
  close(): Promise<void> {
    return this.side().close();
  }
}
