import { Inject, Injectable } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  ChannelClosed,
  ChannelMessage,
  InjectChannel,
  SlimChannel,
  SlimChannelRef,
  type SlimContext,
  type SlimError,
} from 'nestjs-slim';
import { Subject } from 'rxjs';
import { tell } from '../settings.js';
import { room, shortName, type Role } from './names.js';
import { Reporter } from './reporter.js';
import { answerOf } from './script.js';

/** Which agent the program is. */
export const roleToken = Symbol('role');

/** An agent in the room: reads, says to the board that it could, and answers when it is its turn. */
@SlimChannel({ name: room })
@Injectable()
export class Participant {
  /** Emits why, when the channel is over for it. */
  readonly closed$ = new Subject<string>();

  constructor(
    @Inject(roleToken) private readonly role: Role,
    @InjectChannel(room) private readonly channel: SlimChannelRef,
    private readonly reporter: Reporter,
  ) {}

  @ChannelMessage()
  async heard(@Payload() text: string, @Ctx() context: SlimContext): Promise<void> {
    const source = context.getSource();
    tell(this.role, `read "${text}" of ${shortName(source.service)}`);
    const { messageId } = context.getMessage();
    const message = { sessionId: context.getSession().id, source: String(source), messageId };
    const reported = this.reporter.report({ kind: 'read', by: this.role, message, text });
    const answer = answerOf(this.role, text);
    if (answer !== undefined) await this.channel.publish(answer);
    await reported;
  }

  @ChannelClosed()
  closed(@Payload() reason: SlimError | undefined): void {
    const why = reason?.message ?? 'it left';
    tell(this.role, `is out of the room: ${why}`);
    this.closed$.next(why);
  }
}
