// A channel: a moderator decides who is in it, and who was removed reads nothing more.
// npm run example -- channel
import { Logger, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { ChannelClosed, ChannelMessage, InjectChannel, ParticipantJoined } from 'nestjs-slim';
import { SlimChannel, SlimChannelRef, SlimModule, SlimName, SlimNode } from 'nestjs-slim';
import { SlimError, SlimSource, sharedSecret } from 'nestjs-slim';

const node = process.env.SLIM_NODE ?? (await SlimNode.start());
const secret = process.env.SLIM_SECRET ?? 'for examples only: all services know it';
const identity = sharedSecret({ secret });
Logger.overrideLogger(['error', 'warn']);
const name = 'acme/ops/incident-room';

@SlimChannel({ name, moderator: true, invite: ['acme/ops/agent-a'] })
class Moderator {
  constructor(@InjectChannel(name) private readonly room: SlimChannelRef) {}

  @ParticipantJoined()
  async welcome(@SlimSource() who: SlimName): Promise<void> {
    console.log(`moderator: ${who.service} is in`);
    if (who.service === 'acme/ops/agent-a') return this.room.invite('acme/ops/agent-b');
    await this.room.publish('what is wrong?');
  }

  @ChannelMessage()
  async said(@Payload() text: string, @SlimSource() from: SlimName): Promise<void> {
    if (from.service === 'acme/ops/agent-a') return;
    console.log(`moderator: ${from.service} says "${text}"`);
    await this.room.remove('acme/ops/agent-a');
    await this.room.publish('the password is swordfish');
    void this.room.close(); // not awaited: closing waits for handlers, and this is one
  }
}

@SlimChannel({ name })
class AgentA {
  constructor(@InjectChannel(name) private readonly room: SlimChannelRef) {}

  @ChannelMessage()
  async heard(@Payload() text: string): Promise<void> {
    if (text !== 'what is wrong?') return;
    console.log(`agent-a: heard "${text}"`);
    await this.room.publish('the disk is full');
  }

  @ChannelClosed()
  closed(@Payload() reason?: SlimError): void {
    console.log(`agent-a: out of the channel, ${reason?.code}`);
  }
}

let over: () => void = () => undefined;
const isOver = new Promise<void>((resolve) => (over = resolve));

@SlimChannel({ name })
class AgentB {
  constructor(@InjectChannel(name) private readonly room: SlimChannelRef) {}

  @ChannelMessage()
  async heard(@Payload() text: string, @SlimSource() from: SlimName): Promise<void> {
    if (text === 'what is wrong?') return;
    console.log(`agent-b: ${from.service} says "${text}"`);
    if (from.service === 'acme/ops/agent-a') await this.room.publish('then agent-a may go');
  }

  @ChannelClosed()
  closed(): void {
    console.log('agent-b: the channel is closed');
    over();
  }
}

/** An application that is nothing but one side of the channel. */
function start(self: string, side: Type): Promise<INestApplicationContext> {
  @Module({ imports: [SlimModule.forRoot({ name: self, identity, node })], providers: [side] })
  class SideModule {}
  return NestFactory.createApplicationContext(SideModule);
}

const sides = [
  await start('acme/ops/agent-a', AgentA),
  await start('acme/ops/agent-b', AgentB),
  await start('acme/ops/moderator', Moderator),
];
await isOver;
for (const side of sides.toReversed()) await side.close();
