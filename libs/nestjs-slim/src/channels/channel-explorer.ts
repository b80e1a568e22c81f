import 'reflect-metadata';
import type { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { SlimError, type SlimName } from '@nestjs-slim/core';
import { duration } from '../slim-options.js';
import { channelOptionsKey, type SlimChannelOptions } from './channel-marks.js';
import { resolveName, type PlaceholderResolver } from '../patterns/placeholders.js';

/** A class that is one side of a channel, checked. */
export interface ChannelClass {
  readonly className: string;
  readonly instance: object;
  /** The module that provides it, as the container knows it. */
  readonly moduleKey: string;
  readonly options: SlimChannelOptions;
  readonly name: SlimName;
  readonly invite: readonly SlimName[];
  readonly inviteRetryMs: number;
}

/** What classes are checked against. */
export interface ExplorerOptions {
  /** The name of the application. */
  readonly own: SlimName;
  readonly resolve: PlaceholderResolver;
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

interface Found {
  readonly wrapper: Wrapper;
  readonly type: { readonly name: string };
  readonly options: SlimChannelOptions;
  readonly moduleKey: string;
}

/**
 * The channel classes of an application, by the name of their channel.
 * @throws SlimError `invalid-config`, `invalid-name`; the message names the class
 */
export function exploreChannels(
  modules: ModulesContainer,
  options: ExplorerOptions,
): ReadonlyMap<string, ChannelClass> {
  const classes = new Map<string, ChannelClass>();
  for (const found of findClasses(modules)) {
    const checked = inClass(found.type.name, () => check(found, options));
    const known = classes.get(checked.name.service);
    // One object under two tokens, such as an alias, is one side.
    if (known?.instance === checked.instance) continue;
    if (known) {
      const both = `${known.className} and ${checked.className}`;
      throw new SlimError('invalid-config', `${both} are both channel "${checked.name.service}"`);
    }
    classes.set(checked.name.service, checked);
  }
  return classes;
}

function* findClasses(modules: ModulesContainer): Iterable<Found> {
  for (const [moduleKey, module] of modules) {
    for (const wrapper of [...module.providers.values(), ...module.controllers.values()]) {
      const type = classOf(wrapper);
      const options: unknown = type && Reflect.getOwnMetadata(channelOptionsKey, type);
      // The mark is put by `SlimChannel` alone.
      if (type && options)
        yield { wrapper, type, options: options as SlimChannelOptions, moduleKey };
    }
  }
}

/** Undefined for values that have none. A factory's product counts, its function does not. */
function classOf(wrapper: Wrapper): { readonly name: string } | undefined {
  if (!wrapper.isNotMetatype) return wrapper.metatype ?? undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined;
}

function check(
  { wrapper, type, options, moduleKey }: Found,
  explorer: ExplorerOptions,
): ChannelClass {
  const { own, resolve } = explorer;
  const { moderator = false, invite = [], inviteRetryMs } = options;
  if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
    // A channel outlives any message, so there is no request that it could belong to.
    throw new SlimError(
      'invalid-config',
      'a channel class, and all it injects, has to be a singleton',
    );
  }
  const name = resolveName(options.name, resolve);
  if (name.service === own.service) {
    throw new SlimError('invalid-config', `"${name.service}" is the name of the application`);
  }
  if (!moderator && invite.length > 0) {
    throw new SlimError('invalid-config', 'only a moderator invites');
  }
  const names = invite.map((text) => resolveName(text, resolve));
  if (names.some(({ service }) => service === own.service)) {
    throw new SlimError('invalid-config', 'a moderator cannot invite its own name');
  }
  return {
    className: type.name,
    instance: wrapper.instance as object,
    moduleKey,
    options,
    name,
    invite: names,
    inviteRetryMs: duration('inviteRetryMs', inviteRetryMs, 5_000),
  };
}

/** Says in which class it is that something is wrong. */
function inClass<Result>(className: string, work: () => Result): Result {
  try {
    return work();
  } catch (reason) {
    const { code, message } = SlimError.from(reason, 'invalid-config');
    throw new SlimError(code, `${className}: ${message}`, { cause: reason });
  }
}
