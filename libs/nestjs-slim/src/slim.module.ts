import {
  Module,
  type DynamicModule,
  type FactoryProvider,
  type InjectionToken,
  type ModuleMetadata,
  type OptionalFactoryDependency,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import { SlimError, type SlimName } from '@nestjs-slim/core';
import { injectedChannels } from './channels/channel-tokens.js';
import { SlimChannels } from './channels/slim-channels.js';
import { SlimClient } from './slim-client.js';
import { SlimConnection } from './slim-connection.js';
import type { SlimOptions } from './slim-options.js';
import { SlimServer } from './slim-server.js';

/** What the module is made from. */
export interface SlimModuleOptions extends SlimOptions {
  /** Visible in every module, which `forFeature` needs; true unless turned off. */
  readonly isGlobal?: boolean;
}

/** Makes the options, as a provider. */
export interface SlimOptionsFactory {
  createSlimOptions(): SlimOptions | Promise<SlimOptions>;
}

/** Where the options come from: one of `useFactory`, `useClass` and `useExisting`. */
export interface SlimModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly isGlobal?: boolean;
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory?: (...args: never[]) => SlimOptions | Promise<SlimOptions>;
  readonly useClass?: Type<SlimOptionsFactory>;
  readonly useExisting?: InjectionToken<SlimOptionsFactory>;
}

/** A client to be injected by name. */
export interface SlimClientEntry {
  /** The injection token, as in Nest's `ClientsModule`. */
  readonly name: string | symbol;
  /** The service whose operations bare patterns mean; may have placeholders. */
  readonly target?: SlimName | string;
}

const optionsToken = Symbol.for('nestjs-slim.options');

/**
 * One connection for a whole application: `SlimConnection`, `SlimServer`, `SlimClient` and the classes
 * marked with `SlimChannel` share it. It is opened by whoever needs it first and closed when the
 * application shuts down, after the server.
 */
@Module({})
export class SlimModule {
  static forRoot(options: SlimModuleOptions): DynamicModule {
    const { isGlobal, ...connection } = options;
    return dynamicModule([{ provide: optionsToken, useValue: connection }], { isGlobal });
  }

  /** @throws SlimError `invalid-config` when nothing says where the options come from */
  static forRootAsync(options: SlimModuleAsyncOptions): DynamicModule {
    return dynamicModule(asyncProviders(options), options);
  }

  /** Clients that share the connection of `forRoot`. */
  static forFeature(clients: readonly SlimClientEntry[]): DynamicModule {
    const providers = clients.map(({ name, target }): Provider => ({
      provide: name,
      inject: [SlimConnection],
      useFactory: (connection: SlimConnection) => new SlimClient(connection, target),
    }));
    return { module: SlimModule, providers, exports: clients.map(({ name }) => name) };
  }
}

const connectionProvider: FactoryProvider = {
  provide: SlimConnection,
  inject: [optionsToken],
  useFactory: (options: SlimOptions) => new SlimConnection(options),
};

const serverProvider: FactoryProvider = {
  provide: SlimServer,
  inject: [SlimConnection, ModulesContainer],
  useFactory: (connection: SlimConnection, modules: ModulesContainer) =>
    new SlimServer(connection, { waitForBootstrap: true, modules }),
};

const clientProvider: FactoryProvider = {
  provide: SlimClient,
  inject: [SlimConnection],
  useFactory: (connection: SlimConnection) => new SlimClient(connection),
};

const channelsProvider: FactoryProvider = {
  provide: SlimChannels,
  inject: [SlimConnection, ModulesContainer, ExternalContextCreator],
  useFactory: (
    connection: SlimConnection,
    modules: ModulesContainer,
    contexts: ExternalContextCreator,
  ) => new SlimChannels(connection, { modules, contexts }),
};

function refProviders(): readonly FactoryProvider[] {
  return injectedChannels().map(({ name, token }) => ({
    provide: token,
    inject: [SlimChannels],
    useFactory: (channels: SlimChannels) => channels.ref(name),
  }));
}

function dynamicModule(
  options: readonly Provider[],
  scope: { readonly isGlobal?: boolean | undefined; readonly imports?: DynamicModule['imports'] },
): DynamicModule {
  return {
    module: SlimModule,
    global: scope.isGlobal ?? true,
    imports: scope.imports ?? [],
    // Asked for when Nest scans the modules. By then every file is loaded, in whatever order, and each
    // `@InjectChannel` has said which channel it wants.
    get providers(): Provider[] {
      const own = [connectionProvider, serverProvider, clientProvider, channelsProvider];
      return [...options, ...own, ...refProviders()];
    },
    get exports(): InjectionToken[] {
      const refs = refProviders().map(({ provide }) => provide);
      return [SlimConnection, SlimServer, SlimClient, ...refs];
    },
  };
}

function asyncProviders(options: SlimModuleAsyncOptions): readonly Provider[] {
  const { inject = [], useFactory, useClass, useExisting } = options;
  if (useFactory) return [{ provide: optionsToken, inject, useFactory }];
  const factory = useExisting ?? useClass;
  if (!factory) {
    throw new SlimError('invalid-config', 'expected useFactory, useClass or useExisting');
  }
  const made: Provider = {
    provide: optionsToken,
    inject: [factory],
    useFactory: (from: SlimOptionsFactory) => from.createSlimOptions(),
  };
  return useClass ? [made, useClass] : [made];
}
