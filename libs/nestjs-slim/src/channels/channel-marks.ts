import type { Metadata } from '@nestjs-slim/core';

/** What a class says of the channel it is a side of. */
export interface SlimChannelOptions {
  /** `org/namespace/service`. `${KEY}` stands for what `resolvePlaceholder`, or the environment, gives. */
  readonly name: string;
  /** This side creates the channel and says who is in it; otherwise it waits to be invited. */
  readonly moderator?: boolean;
  /** Names that a moderator wants in the channel; placeholders as in `name`. */
  readonly invite?: readonly string[];
  /** How long a moderator waits before it invites those again who are not there; 5,000 unless given. */
  readonly inviteRetryMs?: number;
  /**
   * End-to-end encryption. For a moderator as the module has it unless given; a participant that
   * says true joins no channel without it.
   */
  readonly mls?: boolean;
  /** Acknowledged, repeated, ordered. The moderator decides; as the module has it unless given. */
  readonly reliable?: boolean;
  /** What a moderator shows to those it invites. Not encrypted. */
  readonly metadata?: Metadata;
}

/** What a method of a channel class is called for. */
export type ChannelHandlerKind = 'message' | 'joined' | 'left' | 'closed';

/** Under which the class decorator leaves its options: a text, so that all copies of this package agree. */
export const channelOptionsKey = 'nestjs-slim:channel';

/** Nest's own key for what parameter decorators say. It is exported for its own packages only. */
export const parametersKey = '__routeArguments__';

/** Under which a method decorator leaves its mark. */
export function channelHandlerKey(kind: ChannelHandlerKind): string {
  return `${channelOptionsKey}:${kind}`;
}
