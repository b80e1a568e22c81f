// A Nest microservice with one handler, which answers with what it was asked.
//   node nest-server.mjs tcp|nats|redis|grpc|slim

import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serve } from '../harness/serve.mjs';
import { nestTransport } from './nest-transports.mjs';

const transport = nestTransport(process.argv[2]);

class EchoController {
  /** @param {unknown} data */
  echo(data) {
    return data;
  }
}

class EchoModule {}

// What decorators do, in plain JavaScript.
const echo = Object.getOwnPropertyDescriptor(EchoController.prototype, 'echo');
if (echo) transport.handler(EchoController.prototype, 'echo', echo);
Controller()(EchoController);
Module({ controllers: [EchoController] })(EchoModule);

serve({
  async listen(place) {
    const options = transport.server(place);
    const app = await NestFactory.createMicroservice(EchoModule, { logger: ['error'], ...options });
    await app.listen();
  },
});
