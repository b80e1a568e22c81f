import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  MessagePattern,
  type AsyncMicroserviceOptions,
  type ClientProxy,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom, type Observable } from 'rxjs';
import { SlimClient } from './slim-client.js';
import { SlimConnection } from './slim-connection.js';
import { slimMicroservice } from './slim-microservice.js';
import type { SlimOptions } from './slim-options.js';
import { SlimServer } from './slim-server.js';
import { SlimModule, type SlimOptionsFactory } from './slim.module.js';
import { billing, Fabric } from './testing/spec-fabric.js';

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }
}

@Controller()
class ForwardingController {
  constructor(
    @Inject('BILLING') private readonly client: ClientProxy,
    private readonly free: SlimClient,
  ) {}

  @MessagePattern('forward')
  forward(data: unknown): Observable<unknown> {
    return this.client.send('echo', data);
  }

  @MessagePattern('forward-free')
  forwardFree(data: unknown): Observable<unknown> {
    return this.free.send(`${billing}#echo`, data);
  }
}

let options: SlimOptions;

@Injectable()
class Config {
  readonly slim = options;
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class Factory implements SlimOptionsFactory {
  async createSlimOptions(): Promise<SlimOptions> {
    return options;
  }
}

@Module({ providers: [Factory], exports: [Factory] })
class FactoryModule {}

describe('SlimModule', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    options = fabric.options('acme/front/desk');
    await fabric.serve({ controllers: [EchoController] });
  });
  afterEach(() => fabric.end());

  const boot = async (root: DynamicModule) => {
    const module = await Test.createTestingModule({
      imports: [root, SlimModule.forFeature([{ name: 'BILLING', target: billing }])],
      controllers: [ForwardingController],
    }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.endWith(() => app.close());
    await app.listen();
    return app;
  };

  const sources: readonly [string, () => DynamicModule][] = [
    ['forRoot', () => SlimModule.forRoot(options)],
    [
      'forRootAsync with useFactory',
      () =>
        SlimModule.forRootAsync({
          imports: [ConfigModule],
          inject: [Config],
          useFactory: async (config: Config) => config.slim,
        }),
    ],
    ['forRootAsync with useClass', () => SlimModule.forRootAsync({ useClass: Factory })],
    [
      'forRootAsync with useExisting',
      () => SlimModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory }),
    ],
  ];

  it.each(sources)('by %s gives server and clients one connection', async (_, root) => {
    const app = await boot(root());
    const connection = app.get(SlimConnection);
    const named: ClientProxy = app.get('BILLING');
    expect(app.get(SlimServer).unwrap()).toBe(connection.app);
    expect(app.get(SlimClient).unwrap()).toBe(connection.app);
    expect(named.unwrap()).toBe(connection.app);
    const client = fabric.client({ target: 'acme/front/desk' });
    expect(await firstValueFrom(client.send('forward', 'a'))).toBe('a');
    expect(await firstValueFrom(client.send('forward-free', 'b'))).toBe('b');
  });

  it('connects nothing before it is needed, and closes its connection at the end', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(options)],
    }).compile();
    await module.init();
    const connection = module.get(SlimConnection);
    expect(await firstValueFrom(connection.status)).toBe('disconnected');
    await module.get(SlimClient).connect();
    expect(await firstValueFrom(connection.status)).toBe('connected');
    await module.close();
    expect(await firstValueFrom(connection.status)).toBe('disconnected');
  });

  it('need not be global', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot({ ...options, isGlobal: false })],
    }).compile();
    expect(module.get(SlimClient)).toBeInstanceOf(SlimClient);
    await module.close();
  });

  it.each([
    ['forRoot', () => SlimModule.forRoot({ ...options, node: [] }), 'invalid-config'],
    ['forRoot', () => SlimModule.forRoot({ ...options, name: 'desk' }), 'invalid-name'],
    [
      'forRootAsync',
      () => SlimModule.forRootAsync({ useFactory: () => undefined as never }),
      'invalid-config',
    ],
  ])('by %s refuses a bad configuration when the application is made', async (_, root, code) => {
    const made = Test.createTestingModule({ imports: [root()] }).compile();
    await expect(made).rejects.toMatchObject({ name: 'SlimError', code });
  });

  it('refuses forRootAsync without a source of options', () => {
    expect(() => SlimModule.forRootAsync({})).toThrow(
      expect.objectContaining({ code: 'invalid-config' }),
    );
  });

  it('can be previewed', async () => {
    @Module({ imports: [SlimModule.forRoot(options)], controllers: [EchoController] })
    class PreviewModule {}
    const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(PreviewModule, {
      ...slimMicroservice(),
      preview: true,
      logger: false,
    });
    await expect(app.listen()).rejects.toThrow('preview');
  });

  it('is not needed for a client in ClientsModule', async () => {
    const clients = ClientsModule.registerAsync([
      {
        name: 'BILLING',
        useFactory: () => ({ customClass: SlimClient, options: { ...options, target: billing } }),
      },
    ]);
    const module = await Test.createTestingModule({ imports: [clients] }).compile();
    await module.init();
    const client: ClientProxy = module.get('BILLING');
    expect(await firstValueFrom(client.send('echo', 'c'))).toBe('c');
    await module.close();
    expect(() => client.unwrap()).toThrow(expect.objectContaining({ code: 'link-closed' }));
  });
});
