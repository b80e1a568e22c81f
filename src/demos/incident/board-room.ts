import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
  SlimChannelRef,
  SlimSource,
  type SlimContext,
  type SlimName,
} from 'nestjs-slim';
import { Board } from './board.js';
import { room, shortName } from './names.js';

/** The board's own membership. It reads as every member does, and says nothing. */
@SlimChannel({ name: room })
@Injectable()
export class BoardRoom implements OnApplicationBootstrap {
  constructor(
    @InjectChannel(room) private readonly channel: SlimChannelRef,
    private readonly board: Board,
  ) {}

  onApplicationBootstrap(): void {
    void this.awaitInvitation();
  }

  @ChannelMessage()
  said(@Payload() text: string, @Ctx() context: SlimContext): void {
    const { messageId, source } = context.getMessage();
    const sessionId = context.getSession().id;
    this.board.said({ sessionId, source: String(source), messageId }, text);
    this.look();
  }

  @ParticipantJoined()
  joined(@SlimSource() { service }: SlimName): void {
    this.look();
    this.board.change('joined', [shortName(service)]);
  }

  @ParticipantLeft()
  left(@SlimSource() { service }: SlimName): void {
    this.look();
    this.board.change('left', [shortName(service)]);
  }

  @ChannelClosed()
  closed(): void {
    this.look();
    void this.awaitInvitation();
  }

  private async awaitInvitation(): Promise<void> {
    try {
      await this.channel.ready;
    } catch {
      // The application is closing.
      return;
    }
    const members = this.look();
    this.board.change('joined', members);
  }

  /** Returns who is in the room. */
  private look(): readonly string[] {
    const members = this.channel
      .participants()
      .map(({ name, online }) => ({ name: shortName(name.service), online }));
    this.board.isPresent(members, this.channel.epoch);
    return members.map(({ name }) => name);
  }
}
