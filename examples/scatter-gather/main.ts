// One question to every instance of a service, and what comes of it.
// npm run example -- scatter-gather
import { Controller, Logger, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { SlimClient, SlimException, SlimModule, SlimNode } from 'nestjs-slim';
import { sharedSecret, slimMicroservice } from 'nestjs-slim';
import { lastValueFrom, toArray } from 'rxjs';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(['error', 'warn']);
const depot = 'acme/stock/depot';

/** One instance of the depot: all have the same name, and each its own stock. */
async function startDepot(stock: Readonly<Record<string, number>>): Promise<INestMicroservice> {
  @Controller()
  class StockController {
    @MessagePattern('count')
    count(@Payload() article: string): number {
      const count = stock[article];
      if (count !== undefined) return count;
      throw new SlimException({ code: 'unknown-article', message: `no ${article} here` });
    }
  }

  @Module({
    imports: [SlimModule.forRoot({ name: depot, identity, node })],
    controllers: [StockController],
  })
  class DepotModule {}

  const service = await NestFactory.createMicroservice(DepotModule, slimMicroservice());
  await service.listen();
  return service;
}

const depots = await Promise.all([
  startDepot({ lamp: 3, chair: 8 }),
  startDepot({ lamp: 4 }),
  startDepot({ lamp: 5, chair: 2 }),
]);
const client = new SlimClient({ name: 'acme/shop/till', identity, node, target: depot });

for (const article of ['lamp', 'chair']) {
  let inStock = 0;
  const answers = client.sendAll<number>('count', article, { discoveryMs: 500 });
  for (const item of await lastValueFrom(answers.pipe(toArray()))) {
    if (item.kind === 'answer') inStock += item.value;
    if (item.kind === 'summary') {
      const { answered, failed, missing } = item;
      console.log(`${article}: ${inStock} in stock`);
      console.log(
        `  ${answered.length} answered, ${failed.length} failed, ${missing.length} missing`,
      );
    }
  }
}

/** With a quorum it is over as soon as that many have answered. */
const twoOfThem = client.sendAll('count', 'lamp', { quorum: 2 });
const last = await lastValueFrom(twoOfThem);
if (last.kind === 'summary') console.log(`quorum: ${last.answered.length} answered`);

await client.close();
for (const service of depots) await service.close();
