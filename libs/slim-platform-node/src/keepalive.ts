import type { Socket } from 'node:net';
import type { Cancel, Clock } from '@nestjs-slim/core';
import { pingTimeoutMs } from './http2-settings.js';

/** What a keepalive watches and how. */
export interface KeepaliveOptions {
  /** What asks for a sign of life: a session of HTTP/2, or a WebSocket. */
  readonly session: { readonly destroyed: boolean; ping(answered: () => void): unknown };
  readonly socket: Socket;
  readonly clock: Clock;
  /** A connection quiet for this long is asked for a sign of life; 0 never asks. */
  readonly keepaliveMs: number;
  /** How long the peer may take for the sign of life; as an official node by default. */
  readonly timeoutMs?: number | undefined;
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
    const { clock, session, timeoutMs = pingTimeoutMs } = this.#options;
    // Any byte counts as an answer: behind a slow upload the answer to the ping itself comes late.
    if (!session.destroyed) session.ping(() => undefined);
    this.#cancel = clock.schedule(timeoutMs, () => this.#judge());
  }

  #judge(): void {
    if (this.#isAlive()) return this.#rest();
    const { keepaliveMs, timeoutMs = pingTimeoutMs } = this.#options;
    this.#options.dead(keepaliveMs + timeoutMs);
  }

  #isAlive(): boolean {
    return this.#options.socket.bytesRead !== this.#bytesRead;
  }
}
