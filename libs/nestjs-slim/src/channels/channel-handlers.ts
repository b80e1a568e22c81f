import 'reflect-metadata';
import { ExternalContextCreator, MetadataScanner } from '@nestjs/core';
import type { BaseRpcContext } from '@nestjs/microservices';
import { defer, from, isObservable, lastValueFrom, mergeMap, of, type Observable } from 'rxjs';
import { channelHandlerKey, parametersKey, type ChannelHandlerKind } from './channel-marks.js';
import type { ChannelClass } from './channel-explorer.js';

/** Runs a method through guards, interceptors, pipes and filters, when it is subscribed to. */
export type ChannelHandler = (data: unknown, context: BaseRpcContext) => Observable<unknown>;

/** The handlers of a class, by what they are called for. */
export type ChannelHandlers = Readonly<Record<ChannelHandlerKind, readonly ChannelHandler[]>>;

/** For a channel that no class of the application is a side of. */
export const noHandlers: ChannelHandlers = { message: [], joined: [], left: [], closed: [] };

/** What `@Payload()` and `@Ctx()` are in the metadata that they leave (Nest's RpcParamtype). */
const payloadParameter = 3;
const contextParameter = 6;

/**
 * Binds the decorated methods of a class. Nest's `ExternalContextCreator` is used, for providers and
 * controllers alike: internal event patterns would reach neither providers, which Nest does not scan for
 * patterns, nor applications that start no microservice. What it gives is the RPC pipeline, with the
 * global enhancers of the application; only a refusing guard throws a `ForbiddenException` rather than an
 * `RpcException`, and there is nobody to tell the difference to.
 */
export function bindHandlers(
  contexts: ExternalContextCreator,
  { instance, moduleKey }: ChannelClass,
): ChannelHandlers {
  const creator = creatorFor(contexts, moduleKey);
  const methods = instance as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  const prototype = Object.getPrototypeOf(instance) as object;
  const names = new MetadataScanner().getAllMethodNames(prototype);
  const bind = (kind: ChannelHandlerKind): ChannelHandler[] =>
    names.flatMap((name) => {
      const method = methods[name];
      if (!method || !Reflect.hasMetadata(channelHandlerKey(kind), method)) return [];
      const run = creator.create(
        instance,
        method,
        name,
        parametersKey,
        { exchangeKeyForValue },
        undefined,
        undefined,
        { guards: true, interceptors: true, filters: true },
        'rpc',
      );
      return [(data, context) => defer(() => from(run(data, context)).pipe(mergeMap(flat)))];
    });
  return {
    message: bind('message'),
    joined: bind('joined'),
    left: bind('left'),
    closed: bind('closed'),
  };
}

/**
 * The creator of the application with two changes. It looks classes up among providers only, so it is told
 * the module: without it the guards that a controller names by class would be skipped. And a stream without a
 * value, which is no failure here, must not become one.
 */
function creatorFor(contexts: ExternalContextCreator, moduleKey: string): ExternalContextCreator {
  return Object.assign(Object.create(contexts) as ExternalContextCreator, {
    getContextModuleKey: () => moduleKey,
    transformToResult: async (result: unknown): Promise<unknown> =>
      isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result,
  });
}

function exchangeKeyForValue(type: number, key: unknown, args: readonly unknown[]): unknown {
  const [data, context] = args;
  if (type === contextParameter) return context;
  if (type !== payloadParameter) return undefined;
  if (typeof key !== 'string') return data;
  return typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;
}

/** A filter of the RPC kind answers with a stream. */
function flat(value: unknown): Observable<unknown> {
  return isObservable(value) ? value : of(value);
}
