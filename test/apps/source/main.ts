import 'reflect-metadata';
import assert from 'node:assert/strict';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import {
  SlimModule,
  SlimNode,
  sharedSecret,
  slimMicroservice,
  type SlimOptions,
} from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import { Caller, greeterClient } from './caller.js';
import { Greeter } from './greeter.js';
import { names } from './names.js';

// A node, a service and a caller in one process: a request by target, one by name, and a channel.

const identity = sharedSecret({ secret: 'a secret that only the two throw-away services share' });

@Module({})
class ServiceModule {
  static at(node: SlimOptions['node']): DynamicModule {
    const slim = SlimModule.forRoot({ name: names.greeter, identity, node });
    return { module: ServiceModule, imports: [slim], controllers: [Greeter] };
  }
}

@Module({})
class CallerModule {
  static at(node: SlimOptions['node']): DynamicModule {
    const slim = SlimModule.forRootAsync({
      useFactory: () => ({ name: names.caller, identity, node }),
    });
    const feature = SlimModule.forFeature([{ name: greeterClient, target: names.greeter }]);
    return { module: CallerModule, imports: [slim, feature], providers: [Caller] };
  }
}

async function conversation(caller: Caller): Promise<void> {
  const answer = await firstValueFrom(caller.heard);
  assert.equal(answer, `welcome to you too, ${names.caller}`);
  const greeting = { text: 'hello Ada', caller: names.caller, mls: true };
  assert.deepEqual(await caller.askTarget('Ada'), greeting);
  assert.deepEqual(await caller.askByName('Ada', 'good'), { ...greeting, mood: 'good' });
  assert.equal(await caller.count(['one', 'two']), 2);
  const types: unknown = Reflect.getMetadata('design:paramtypes', Greeter.prototype, 'count');
  assert.deepEqual(types, [Object]);
}

async function main(): Promise<void> {
  let readable = 0;
  const node = await SlimNode.start({
    listen: { host: '127.0.0.1', port: 0 },
    onForward: (frame) => {
      if (Buffer.from(frame).includes('hello Ada')) readable += 1;
    },
  });
  assert(node.url);
  const service = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
    ServiceModule.at(node.url),
    { ...slimMicroservice(), logger: ['error', 'warn'] },
  );
  await service.listen();
  const calls = await NestFactory.createApplicationContext(CallerModule.at(node.url), {
    logger: ['error', 'warn'],
  });
  await conversation(calls.get(Caller));
  assert.equal(readable, 0, 'the node could read what the services said');
  await calls.close();
  await service.close();
  await node.close();
}

// No top-level await: the same file is compiled as CommonJS.
void main();
