import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '@nestjs-slim/core';
import { pingTimeoutMs } from './http2-settings.js';

/** What a keepalive watches and how. */
export interface KeepaliveOptions {
  readonly session: Http2Session;
  readonly socket: Socket;
  readonly clock: Clock;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. */
  readonly keepaliveMs: number;
  /** Called once, when no byte came for as long as a ping may take. */
  dead(quietMs: number): void;
}

/** Notices a peer that is gone without a word: cable cut, machine off, address moved. */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  #bytesRead = 0;
  #cancel: Cancel = () => undefined;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
    if (options.keepaliveMs > 0) this.#rest();
  }

  stop(): void {
    this.#cancel();
  }

  #rest(): void {
    const { clock, keepaliveMs, socket } = this.#options;
    this.#bytesRead = socket.bytesRead;
    this.#cancel = clock.schedule(keepaliveMs, () => this.#ask());
  }

  #ask(): void {
    if (this.#isAlive()) return this.#rest();
    const { clock, session } = this.#options;
    // Any byte counts as an answer: behind a slow upload the answer to the ping itself comes late.
    if (!session.destroyed) session.ping(() => undefined);
    this.#cancel = clock.schedule(pingTimeoutMs, () => this.#judge());
  }

  #judge(): void {
    if (this.#isAlive()) return this.#rest();
    this.#options.dead(this.#options.keepaliveMs + pingTimeoutMs);
  }

  #isAlive(): boolean {
    return this.#options.socket.bytesRead !== this.#bytesRead;
  }
}
