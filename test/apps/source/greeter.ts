import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import {
  ChannelMessage,
  InjectChannel,
  SlimChannel,
  SlimChannelRef,
  SlimContext,
  SlimMetadata,
  SlimSource,
  type ItemStream,
  type SlimName,
} from 'nestjs-slim';
import type { Greeting } from './greeting.js';
import { names } from './names.js';

/** Answers requests, and everybody in the channel it is invited to. */
@Controller()
@SlimChannel({ name: names.room })
export class Greeter {
  constructor(@InjectChannel(names.room) private readonly room: SlimChannelRef) {}

  @MessagePattern('greet')
  greet(
    @Payload() who: string,
    @Ctx() context: SlimContext,
    @SlimMetadata('mood') mood?: string,
  ): Greeting {
    const session = context.getSession();
    return { text: `hello ${who}`, caller: context.getSource().service, mls: session.mls, mood };
  }

  // `ItemStream` has to be no class for Nest: pipes would make instances of it.
  @MessagePattern('count')
  async count(@Payload() words: ItemStream<string>): Promise<number> {
    let count = 0;
    for await (const word of words) count += word.length > 0 ? 1 : 0;
    return count;
  }

  @ChannelMessage()
  async heard(@Payload() text: string, @SlimSource() from: SlimName): Promise<void> {
    await this.room.publish(`${text} to you too, ${from.service}`);
  }
}
