import type { ClientHttp2Stream } from 'node:http2';
import type { Cancel, Clock } from '@nestjs-slim/core';
import type { WebSocket } from 'ws';
import { windowBytes } from './http2-settings.js';

/** The largest window there is (RFC 9113 section 6.9.1). */
const maxWindowBytes = 2 ** 31 - 1;
/** At least so long from one to the next: what comes all the time is not held back. */
const intervalMs = 2;
/** After so many turns without a word from us we are not taken to wait for anything. */
const maxUnanswered = 50;
const noBytes = new Uint8Array(0);

/**
 * Has the system here acknowledge at once what may be waited for and nothing is sent in answer to. An official node
 * keeps Nagle's algorithm on: behind a message that is not acknowledged it holds back the next, and a system that has
 * nothing to send acknowledges 40 ms later (bench case `invite`). So something is said that nobody answers, because an
 * answer would hold back what comes behind it.
 */
export class PromptAcknowledgement {
  readonly #say: () => void;
  readonly #clock: Clock;
  #lastMs = -Infinity;
  #unansweredLeft = 0;
  #scheduled = false;
  #cancel: Cancel | undefined;
  #isOver = false;

  /** `say` is one of those below. */
  constructor(say: () => void, clock: Clock) {
    this.#say = say;
    this.#clock = clock;
  }

  /** We sent something, and may wait for what comes next. */
  sent(): void {
    this.#unansweredLeft = maxUnanswered;
  }

  /**
   * Something came, and is not delivered yet. What `writer` sends in the same turn of the event loop acknowledges it
   * as well.
   */
  received(writer: { readonly isIdle: boolean }): void {
    if (this.#scheduled || this.#unansweredLeft === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!writer.isIdle || this.#isOver) return;
      this.#unansweredLeft -= 1;
      this.#acknowledgeInTime();
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  #acknowledgeInTime(): void {
    if (this.#cancel) return;
    const waitMs = this.#lastMs + intervalMs - this.#clock.now();
    if (waitMs <= 0) return this.#acknowledge();
    this.#cancel = this.#clock.schedule(Math.min(waitMs, intervalMs), () => {
      this.#cancel = undefined;
      this.#acknowledge();
    });
  }

  #acknowledge(): void {
    this.#lastMs = this.#clock.now();
    this.#say();
  }
}

/**
 * Over HTTP/2, one byte more of window: the least that is not answered, as a PING would be. The window is that of the
 * connection: the window of the stream, the only one on it, is what bounds the peer and stays as it is.
 */
export function sayByWindow(stream: ClientHttp2Stream): () => void {
  let bytes = windowBytes;
  return () => {
    const { session, writableEnded } = stream;
    if (!session || session.destroyed || writableEnded || bytes === maxWindowBytes) return;
    bytes += 1;
    session.setLocalWindowSize(bytes);
    // node:http2 keeps that until something is written. Nothing at all will do.
    stream.write(noBytes);
  };
}

/** Over WebSocket, a pong that nobody asked for (RFC 6455 section 5.5.3). */
export function sayByPong(socket: WebSocket): () => void {
  return () => {
    if (socket.readyState === socket.OPEN) socket.pong();
  };
}
