import { fileURLToPath } from 'node:url';
import { Controller, Get, Inject, Module, Post, Sse, type MessageEvent } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxy,
  EventPattern,
  Payload,
  type AsyncMicroserviceOptions,
} from '@nestjs/microservices';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SlimConnection, SlimModule, slimMicroservice } from 'nestjs-slim';
import { firstValueFrom, map, type Observable } from 'rxjs';
import { settings, tell } from '../settings.js';
import { Board } from './board.js';
import { BoardRoom } from './board-room.js';
import { FrameFeed } from './frame-feed.js';
import { names } from './names.js';
import { reportEvent, type Report } from './report.js';

const moderatorClient = Symbol('moderator');

/** The page, what it shows, and the one thing that it can ask for. */
@Controller()
class GatewayController {
  constructor(
    private readonly board: Board,
    @Inject(moderatorClient) private readonly moderator: ClientProxy,
  ) {}

  @Get('health')
  health(): { readonly status: string } {
    return { status: 'ok' };
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return this.board.state$.pipe(map((data) => ({ data })));
  }

  /** Settles when the next chapter of the discussion is over. */
  @Post('chapters')
  async next(): Promise<{ readonly told: number }> {
    const told = await firstValueFrom(this.moderator.send<number>('next', {}));
    this.board.chapterTold(told);
    return { told };
  }

  @EventPattern(reportEvent)
  reported(@Payload() report: Report): void {
    this.board.reported(report);
  }
}

@Module({
  imports: [
    SlimModule.forRoot({ name: names.board, identity: settings.identity, node: settings.node }),
    SlimModule.forFeature([{ name: moderatorClient, target: names.moderator }]),
  ],
  controllers: [GatewayController],
  providers: [Board, BoardRoom, FrameFeed],
})
class GatewayModule {}

const app = await NestFactory.create<NestExpressApplication>(GatewayModule, {
  logger: ['error', 'warn'],
  // A page that stays open must not keep the process.
  forceCloseConnections: true,
});
app.enableShutdownHooks();
// From dist/demos/incident; the page needs no build.
const page = fileURLToPath(new URL('../../../src/demos/incident/page', import.meta.url));
app.useStaticAssets(page);
await app.init();
app.connectMicroservice<AsyncMicroserviceOptions>(slimMicroservice(), { inheritAppConfig: true });
await app.startAllMicroservices();
await app.get(SlimConnection).connect();
await app.listen(settings.httpPort);
tell('board', `is up at ${(await app.getUrl()).replace('[::1]', 'localhost')}`);
