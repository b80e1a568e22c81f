import 'reflect-metadata';
import { Inject, SetMetadata } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { Metadata } from '@nestjs-slim/core';
import { channelToken } from './channel-tokens.js';

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

/** Makes a provider or controller one side of a channel, from its application's start to its end. */
export function SlimChannel(options: SlimChannelOptions): ClassDecorator {
  return SetMetadata(channelOptionsKey, options);
}

/** Called with each message of the others. What it returns is not published. */
export function ChannelMessage(): MethodDecorator {
  return handlerOf('message');
}

/** Called with each `ChannelParticipant` that comes after this side did. */
export function ParticipantJoined(): MethodDecorator {
  return handlerOf('joined');
}

/** Called with each `ChannelParticipant` that left or was removed. */
export function ParticipantLeft(): MethodDecorator {
  return handlerOf('left');
}

/** Called when the channel is over for this side: with the reason, or undefined when this side ended it. */
export function ChannelClosed(): MethodDecorator {
  return handlerOf('closed');
}

/** Injects the `SlimChannelRef` of a channel, written as its class writes it or with placeholders resolved. */
export function InjectChannel(name: string): PropertyDecorator & ParameterDecorator {
  return Inject(channelToken(name));
}

function handlerOf(kind: ChannelHandlerKind): MethodDecorator {
  return (target, method, descriptor) => {
    // Without any parameter decorator it gets the payload, through the pipes, as Nest's own handlers do.
    if (!Reflect.hasMetadata(parametersKey, target.constructor, method)) {
      Payload()(target, method, 0);
    }
    SetMetadata(channelHandlerKey(kind), true)(target, method, descriptor);
  };
}
