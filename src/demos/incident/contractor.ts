import { NestFactory } from '@nestjs/core';
import { SlimConnection } from 'nestjs-slim';
import { http2Dialler } from '@nestjs-slim/platform-node';
import { settings, tell } from '../settings.js';
import { AgentModule } from './agent.module.js';
import { Resistance } from './resistance.js';
import { UnwillingDialler } from './unwilling-link.js';

// The agent that is removed, and does not want to go.
const node = new UnwillingDialler(http2Dialler(settings.node));
const app = await NestFactory.createApplicationContext(
  AgentModule.of('contractor', {
    node,
    providers: [{ provide: UnwillingDialler, useValue: node }, Resistance],
  }),
  { logger: ['error', 'warn'] },
);
app.enableShutdownHooks();
await app.get(SlimConnection).connect();
tell('contractor', 'is up and waits for an invitation');
