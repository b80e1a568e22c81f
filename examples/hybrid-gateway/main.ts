// An HTTP gateway before a SLIM service. The gateway has a SLIM name of its own, and answers there too.
// npm run example -- hybrid-gateway
import { Body, Controller, Get, Inject, Logger, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxy,
  MessagePattern,
  Payload,
  type AsyncMicroserviceOptions,
} from '@nestjs/microservices';
import { SlimClient, SlimModule, SlimNode, sharedSecret, slimMicroservice } from 'nestjs-slim';
import type { Observable } from 'rxjs';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(['error', 'warn']);

@Controller()
class PricesController {
  @MessagePattern('quote')
  quote(@Payload() order: { readonly pieces: number }): { readonly cents: number } {
    return { cents: order.pieces * 250 };
  }
}

@Module({
  imports: [SlimModule.forRoot({ name: 'acme/shop/prices', identity, node })],
  controllers: [PricesController],
})
class PricesModule {}

@Controller()
class GatewayController {
  constructor(@Inject('PRICES') private readonly prices: ClientProxy) {}

  @Post('quotes')
  quote(@Body() order: unknown): Observable<unknown> {
    return this.prices.send('quote', order);
  }

  @Get('version')
  @MessagePattern('version')
  version(): { readonly version: string } {
    return { version: '1.0' };
  }
}

@Module({
  imports: [
    SlimModule.forRoot({ name: 'acme/shop/gateway', identity, node }),
    SlimModule.forFeature([{ name: 'PRICES', target: 'acme/shop/prices' }]),
  ],
  controllers: [GatewayController],
})
class GatewayModule {}

const prices = await NestFactory.createMicroservice(PricesModule, slimMicroservice());
await prices.listen();

const app = await NestFactory.create(GatewayModule);
app.enableShutdownHooks();
await app.init(); // first, so that no request finds a gateway that is not initialised
app.connectMicroservice<AsyncMicroserviceOptions>(slimMicroservice(), { inheritAppConfig: true });
await app.startAllMicroservices();
await app.listen(0, '127.0.0.1');

const url = await app.getUrl();
const headers = { 'content-type': 'application/json' };
const body = JSON.stringify({ pieces: 4 });
const quoted = await fetch(`${url}/quotes`, { method: 'POST', headers, body });
console.log(`HTTP ${quoted.status}: ${await quoted.text()}`);
console.log(`HTTP version: ${await (await fetch(`${url}/version`)).text()}`);

const client = new SlimClient({ name: 'acme/shop/till', identity, node });
console.log('SLIM version:', await client.request('acme/shop/gateway#version', {}));

await client.close();
await app.close();
await prices.close();
