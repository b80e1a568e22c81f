import { setTimeout } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Board } from './board.js';
import { eventsOf } from './event-stream.js';

const frames = process.env.NODE_FRAMES ?? 'http://127.0.0.1:46380';
const retryMs = 1_000;

/** Brings the frames of the node to the board. */
@Injectable()
export class FrameFeed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('FrameFeed');
  private readonly closure = new AbortController();

  constructor(private readonly board: Board) {}

  onApplicationBootstrap(): void {
    void this.follow();
  }

  beforeApplicationShutdown(): void {
    this.closure.abort();
  }

  /** The node may come later, and go and come back. */
  private async follow(): Promise<void> {
    const { signal } = this.closure;
    while (!signal.aborted) {
      try {
        for await (const hex of eventsOf(`${frames}/frames`, signal)) {
          this.board.forwarded(Buffer.from(hex, 'hex'));
        }
      } catch (reason) {
        if (!signal.aborted) this.logger.warn(`no frames from ${frames}: ${String(reason)}`);
      }
      // Aborted while it waits, which ends the loop.
      await setTimeout(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
