import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { SlimConnection, SlimModule, slimMicroservice } from 'nestjs-slim';
import { InvoicesController } from './invoices.controller.js';
import { settings, tell } from '../settings.js';
import { names } from './names.js';

// One instance of the billing service. Start it as often as you like: callers find them all by the
// one name.
@Module({
  imports: [SlimModule.forRoot({ ...settings, name: names.invoices })],
  controllers: [InvoicesController],
})
class BillingModule {}

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(BillingModule, {
  ...slimMicroservice(),
  logger: ['error', 'warn'],
});
app.enableShutdownHooks();
await app.listen();
const connection = app.get(SlimConnection);
tell((await connection.connect()).name.toString(), 'is up');
