import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy, Payload } from '@nestjs/microservices';
import {
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  SlimChannel,
  SlimChannelRef,
  SlimClient,
  SlimRecordBuilder,
} from 'nestjs-slim';
import { ReplaySubject, firstValueFrom, from } from 'rxjs';
import type { Greeting } from './greeting.js';
import { names } from './names.js';

/** The injection token of a client that has a target. */
export const greeterClient = 'GREETER';

/** Asks the greeter, and moderates the channel that the greeter is invited to. */
@Injectable()
@SlimChannel({ name: names.room, moderator: true, invite: [names.greeter] })
export class Caller {
  /** What the others in the channel said, from the start. */
  readonly heard = new ReplaySubject<string>();

  constructor(
    @Inject(greeterClient) private readonly greeter: ClientProxy,
    @InjectChannel(names.room) private readonly room: SlimChannelRef,
    private readonly anywhere: SlimClient,
  ) {}

  @ParticipantJoined()
  async welcome(): Promise<void> {
    await this.room.publish('welcome');
  }

  @ChannelMessage()
  hear(@Payload() text: string): void {
    this.heard.next(text);
  }

  askTarget(who: string): Promise<Greeting> {
    return firstValueFrom(this.greeter.send<Greeting>('greet', who));
  }

  count(words: readonly string[]): Promise<number> {
    return firstValueFrom(this.greeter.send<number>('count', from(words)));
  }

  askByName(who: string, mood: string): Promise<Greeting> {
    const record = new SlimRecordBuilder(who).setMetadata({ mood }).build();
    return firstValueFrom(this.anywhere.send<Greeting>(`${names.greeter}#greet`, record));
  }
}
