import 'reflect-metadata';
import { openSync, writeSync } from 'node:fs';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext, SlimException, SlimModule, slimMicroservice } from 'nestjs-slim';
import { range, type Observable } from 'rxjs';
import { backoff, dialler, tokens, type Keys } from './identities.js';
import { serve } from './serve.js';

// One instance of the Nest service: what it handles is in its file before it is answered.

interface Start {
  readonly subject: string;
  readonly nodes: readonly string[];
  readonly keys: Keys;
  readonly file: string;
}

let file = -1;
let service: INestMicroservice | undefined;

const record = (line: string): unknown => writeSync(file, `${line}\n`);

@Controller()
class SumsController {
  @MessagePattern('add')
  add(@Payload() { id, a, b }: { id: string; a: number; b: number }): number {
    record(`request ${id}`);
    if (b === 0) throw new SlimException({ code: 'nothing-to-add', message: 'expected b above 0' });
    return a + b;
  }

  @MessagePattern('count')
  count(@Payload() { to }: { to: number }): Observable<number> {
    return range(0, to);
  }

  @EventPattern<string>('told')
  told(
    @Payload() { from, number }: { from: string; number: number },
    @Ctx() context: SlimContext,
  ): void {
    record(`event ${from} ${number} ${context.getSession().id} ${context.getMessageId()}`);
  }
}

async function start({ subject, nodes, keys, ...given }: Start): Promise<void> {
  file = openSync(given.file, 'a');
  const slim = SlimModule.forRoot({
    name: 'soak/shop/sums',
    identity: tokens(subject, keys),
    node: nodes.map((url) => dialler(url, keys)),
    backoff,
  });
  @Module({ imports: [slim], controllers: [SumsController] })
  class ShopModule {}
  const logger = ['error', 'fatal'] as const;
  service = await NestFactory.createMicroservice(ShopModule, {
    ...slimMicroservice(),
    logger: [...logger],
  });
  await service.listen();
}

serve({ start }, async () => service?.close());
