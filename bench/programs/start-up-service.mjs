// A Nest microservice that loads only what it needs, with the handler that nest-client.mjs asks.
//   node start-up-service.mjs tcp|slim

import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { serve } from '../harness/serve.mjs';

class EchoController {
  /** @param {unknown} data */
  echo(data) {
    return data;
  }
}

class EchoModule {}

// What decorators do, in plain JavaScript.
const echo = Object.getOwnPropertyDescriptor(EchoController.prototype, 'echo');
if (echo) MessagePattern('echo')(EchoController.prototype, 'echo', echo);
Controller()(EchoController);
Module({ controllers: [EchoController] })(EchoModule);

/** @type {Record<string, (place: { port: number, url: string, name: string, secret: string }) => Promise<object>>} */
const transports = {
  tcp: async ({ port }) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }),
  slim: async ({ url, name, secret }) => {
    const { SlimServer, sharedSecret } = await import('nestjs-slim');
    return {
      strategy: new SlimServer({ name, identity: sharedSecret({ secret }), node: url }),
    };
  },
};

serve({
  async listen(place) {
    const transport = await transports[process.argv[2] ?? '']?.(place);
    const app = await NestFactory.createMicroservice(EchoModule, {
      logger: ['error'],
      ...transport,
    });
    await app.listen();
  },
});
