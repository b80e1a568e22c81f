// A service that answers requests, and another one that asks it by its name.
// npm run example -- request-response
import { Controller, Inject, Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext, SlimException, SlimModule, SlimNode, SlimParam } from 'nestjs-slim';
import { sharedSecret, slimMicroservice } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(['error', 'warn']);

interface Order {
  readonly customer: string;
  readonly cents: number;
}

@Controller()
class InvoicesController {
  private readonly orders: Order[] = [];

  @MessagePattern('create')
  create(@Payload() order: Order, @Ctx() context: SlimContext): string {
    const number = this.orders.push(order);
    return `invoice ${number} for ${order.customer}, made for ${context.getIdentity().principal}`;
  }

  @MessagePattern('find.:number')
  find(@SlimParam('number') number: string): Order {
    const order = this.orders[Number(number) - 1];
    if (order) return order;
    throw new SlimException({ code: 'no-such-invoice', message: `there is no invoice ${number}` });
  }
}

@Module({
  imports: [SlimModule.forRoot({ name: 'acme/billing/invoices', identity, node })],
  controllers: [InvoicesController],
})
class BillingModule {}

@Injectable()
class Till {
  constructor(@Inject('BILLING') private readonly billing: ClientProxy) {}

  ask<Answer>(operation: string, data: unknown): Promise<Answer> {
    return firstValueFrom(this.billing.send<Answer>(operation, data));
  }
}

@Module({
  imports: [
    SlimModule.forRoot({ name: 'acme/shop/till', identity, node }),
    SlimModule.forFeature([{ name: 'BILLING', target: 'acme/billing/invoices' }]),
  ],
  providers: [Till],
})
class ShopModule {}

const billing = await NestFactory.createMicroservice(BillingModule, slimMicroservice());
await billing.listen();
const shop = await NestFactory.createApplicationContext(ShopModule);

const till = shop.get(Till);
console.log(await till.ask('create', { customer: 'Ada', cents: 129_900 }));
console.log(await till.ask<Order>('find.1', {}));
await till.ask('find.2', {}).catch((error: SlimException) => {
  console.log(`${error.name} ${error.code}: ${error.message}`);
});

await shop.close();
await billing.close();
