import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { LinkDialler } from '@nestjs-slim/core';
import { SlimModule } from 'nestjs-slim';
import { settings } from '../settings.js';
import { names, type Role } from './names.js';
import { Participant, roleToken } from './participant.js';
import { boardClient, Reporter } from './reporter.js';

/** An agent: its side of the room, and the client that it reports to the board with. */
@Module({})
export class AgentModule {
  static of(
    role: Role,
    {
      node = settings.node,
      providers = [],
    }: { node?: string | LinkDialler; providers?: Provider[] },
  ): DynamicModule {
    return {
      module: AgentModule,
      imports: [
        SlimModule.forRoot({ name: names[role], identity: settings.identity, node }),
        SlimModule.forFeature([{ name: boardClient, target: names.board }]),
      ],
      providers: [{ provide: roleToken, useValue: role }, Reporter, Participant, ...providers],
    };
  }
}
