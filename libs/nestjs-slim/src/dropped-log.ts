import { Logger } from '@nestjs/common';
import type { Clock, SlimError } from '@nestjs-slim/core';

/** Whoever sends what is refused must not fill the log. */
const intervalMs = 10_000;

/** Logs what was refused when nobody listens for it: the first of each code, then one every ten seconds. */
export class DroppedLog {
  private readonly clock: Clock;
  private readonly loggedMs = new Map<string, number>();
  private unlogged = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add({ code, message }: SlimError): void {
    const now = this.clock.now();
    if (now - (this.loggedMs.get(code) ?? -Infinity) < intervalMs) {
      this.unlogged += 1;
      return;
    }
    this.loggedMs.set(code, now);
    const others = this.unlogged > 0 ? ` (and ${this.unlogged} more since the last line)` : '';
    this.unlogged = 0;
    // Quoted: the other side may have chosen part of it.
    const line = `refused a message: ${code}: ${JSON.stringify(message)}${others}`;
    Logger.warn(line, 'SlimConnection');
  }
}
