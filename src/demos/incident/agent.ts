import { NestFactory } from '@nestjs/core';
import { SlimConnection } from 'nestjs-slim';
import { tell } from '../settings.js';
import { AgentModule } from './agent.module.js';
import type { Role } from './names.js';

// One agent; the environment says which.
const roles: readonly Role[] = ['triage', 'database', 'security'];
const role = roles.find((known) => known === process.env.AGENT);
if (!role) throw new Error(`AGENT: expected one of ${roles.join(', ')}, got ${process.env.AGENT}`);

const app = await NestFactory.createApplicationContext(AgentModule.of(role, {}), {
  logger: ['error', 'warn'],
});
app.enableShutdownHooks();
await app.get(SlimConnection).connect();
tell(role, 'is up and waits for an invitation');
