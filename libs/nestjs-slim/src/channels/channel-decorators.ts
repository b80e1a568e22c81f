import 'reflect-metadata';
import { Inject, SetMetadata } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  channelHandlerKey,
  channelOptionsKey,
  parametersKey,
  type ChannelHandlerKind,
  type SlimChannelOptions,
} from './channel-marks.js';
import { channelToken } from './channel-tokens.js';

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
