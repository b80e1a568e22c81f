import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { SlimModule } from '../slim.module.js';
import { Fabric } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  SlimChannel,
} from './channel-decorators.js';
import type { SlimChannelRef } from './slim-channel-ref.js';

// The two programs of docs/channels.md, with a log in place of the console.

const log = new Log();
const channel = 'agntcy/namespace/group_channel';

@SlimChannel({ name: channel, moderator: true, invite: ['agntcy/namespace/participant1'] })
class GroupModerator {
  constructor(@InjectChannel(channel) private readonly room: SlimChannelRef) {}

  @ParticipantJoined()
  async greet(): Promise<void> {
    await this.room.publish('Hello group!', { plain: true });
  }

  @ChannelMessage()
  heard(@Payload() message: Uint8Array): void {
    log.add(`a participant says: ${Buffer.from(message).toString()}`);
  }
}

@SlimChannel({ name: channel })
class GroupParticipant {
  constructor(@InjectChannel(channel) private readonly room: SlimChannelRef) {}

  @ChannelMessage()
  async answer(@Payload() message: Uint8Array): Promise<void> {
    const text = Buffer.from(message).toString();
    await this.room.publish(`${text} from participant`, { plain: true });
  }

  @ChannelClosed()
  over(): void {
    log.add('the moderator closed the channel');
  }
}

let fabric: Fabric;
beforeEach(async () => {
  fabric = await Fabric.start();
});
afterEach(() => fabric.end());

async function start(name: string, side: Type) {
  @Module({ imports: [SlimModule.forRoot(fabric.options(name))], providers: [side] })
  class Program {}
  const app = await NestFactory.createApplicationContext(Program, { logger: false });
  fabric.endWith(() => app.close());
  return app;
}

it('the tutorial runs in application contexts', async () => {
  await start('agntcy/namespace/participant1', GroupParticipant);
  const moderator = await start('agntcy/namespace/moderator', GroupModerator);
  await log.has('a participant says: Hello group! from participant');
  await moderator.close();
  await log.has('the moderator closed the channel');
  expect(log.lines).toHaveLength(2);
});
