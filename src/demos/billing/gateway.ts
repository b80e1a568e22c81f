import { Body, Controller, Get, Inject, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, MessagePattern, type AsyncMicroserviceOptions } from '@nestjs/microservices';
import { SlimConnection, SlimModule, slimMicroservice } from 'nestjs-slim';
import { firstValueFrom, toArray, type Observable } from 'rxjs';
import type { Answered, Invoice } from './invoices.controller.js';
import { settings, tell } from '../settings.js';
import { names } from './names.js';

@Controller()
class GatewayController {
  constructor(@Inject('BILLING') private readonly billing: ClientProxy) {}

  @Get('health')
  health(): { readonly status: string } {
    return { status: 'ok' };
  }

  /** An HTTP request becomes a SLIM request to whichever instance answers at the name. */
  @Post('invoices')
  async create(@Body() order: Pick<Invoice, 'customer' | 'cents'>): Promise<Answered<Invoice>> {
    const answer = await firstValueFrom(
      this.billing.send<Answered<Invoice>>(`${names.invoices}#create`, order),
    );
    await firstValueFrom(this.billing.emit('paid', answer.value.id), { defaultValue: undefined });
    tell('gateway', `${names.invoices} answered, it was ${answer.by}`);
    return answer;
  }

  @Get('invoices')
  list(): Observable<Invoice[]> {
    return this.billing.send<Invoice>('list', {}).pipe(toArray());
  }

  /** The gateway has a name of its own, so other services can ask it too. */
  @MessagePattern('whoami')
  whoami(): string {
    return names.gateway;
  }
}

@Module({
  imports: [
    SlimModule.forRoot({ ...settings, name: names.gateway }),
    SlimModule.forFeature([{ name: 'BILLING', target: names.invoices }]),
  ],
  controllers: [GatewayController],
})
class GatewayModule {}

const app = await NestFactory.create(GatewayModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.init();
app.connectMicroservice<AsyncMicroserviceOptions>(slimMicroservice(), { inheritAppConfig: true });
await app.startAllMicroservices();
await app.listen(settings.httpPort);
tell((await app.get(SlimConnection).connect()).name.toString(), `is up at ${await app.getUrl()}`);
