import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, type AsyncMicroserviceOptions } from '@nestjs/microservices';
import {
  ChannelMessage,
  InjectChannel,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
  SlimChannelRef,
  SlimConnection,
  SlimError,
  SlimModule,
  SlimSource,
  slimMicroservice,
  type SlimName,
} from 'nestjs-slim';
import { Subject, filter, firstValueFrom, startWith } from 'rxjs';
import { settings, tell } from '../settings.js';
import { names, room, shortName } from './names.js';
import { answerOf, chapters } from './script.js';

const guests = [names.triage, names.database, names.contractor, names.board];

/** Creates the room and leads the discussion, a chapter whenever somebody asks for the next one. */
@SlimChannel({ name: room, moderator: true, invite: guests, inviteRetryMs: 500 })
@Controller()
class Moderator {
  private readonly joined$ = new Subject<void>();
  private readonly said$ = new Subject<string>();
  private chapter = 0;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(@InjectChannel(room) private readonly channel: SlimChannelRef) {}

  @ChannelMessage()
  async heard(@Payload() text: string): Promise<void> {
    this.said$.next(text);
    const answer = answerOf('moderator', text);
    if (answer !== undefined) await this.say(answer);
  }

  @ParticipantJoined()
  joined(@SlimSource() { service }: SlimName): void {
    tell('moderator', `${shortName(service)} joined, epoch ${this.channel.epoch}`);
    this.joined$.next();
  }

  @ParticipantLeft()
  left(@SlimSource() { service }: SlimName): void {
    tell('moderator', `${shortName(service)} is out of the room`);
  }

  /** Answers with the number of chapters told, when the last line of the next one was said. */
  @MessagePattern('next')
  next(): Promise<number> {
    const told = this.turn.then(() => this.tellChapter());
    this.turn = told.catch(() => undefined);
    return told;
  }

  private async tellChapter(): Promise<number> {
    const { title, lines } = chapters[this.chapter] ?? { title: 'The end', lines: [] };
    const [opening, last] = [lines.at(0), lines.at(-1)];
    if (!opening || !last) return this.chapter;
    tell('moderator', title);
    await this.changeMembers(this.chapter);
    const over = firstValueFrom(this.said$.pipe(filter((text) => text === last.text)));
    await this.say(opening.text);
    await over;
    this.chapter += 1;
    return this.chapter;
  }

  private async changeMembers(chapter: number): Promise<void> {
    if (chapter === 0) await this.everybodyIn();
    // Settled when the others have new keys: what is said from here on, the contractor cannot read.
    if (chapter === 1) await this.channel.remove(names.contractor);
    if (chapter === 2) await this.inviteSecurity();
  }

  /** It may be starting still: programs start in any order. */
  private async inviteSecurity(): Promise<void> {
    try {
      await this.channel.invite(names.security);
    } catch (reason) {
      if (!(reason instanceof SlimError) || reason.code !== 'no-route') throw reason;
      await this.inviteSecurity();
    }
  }

  private async everybodyIn(): Promise<void> {
    const isIn = (guest: string) =>
      this.channel.participants().some(({ name }) => name.service === guest);
    await firstValueFrom(
      this.joined$.pipe(
        startWith(undefined),
        filter(() => guests.every(isIn)),
      ),
    );
  }

  private async say(text: string): Promise<void> {
    await this.channel.publish(text);
    this.said$.next(text);
  }
}

@Module({
  imports: [
    SlimModule.forRoot({
      name: names.moderator,
      identity: settings.identity,
      node: settings.node,
      // Short, because the one that is removed does not answer, and that is waited for.
      sessions: { intervalMs: 500, maxRetries: 5 },
      // And shorter than the time that those who answered wait for those who start later.
      discoveryMs: 500,
    }),
  ],
  controllers: [Moderator],
})
class ModeratorModule {}

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(ModeratorModule, {
  ...slimMicroservice(),
  logger: ['error', 'warn'],
});
app.enableShutdownHooks();
await app.listen();
await app.get(SlimConnection).connect();
tell('moderator', 'is up');
