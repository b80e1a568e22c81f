import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Cancel, Clock } from '@nestjs-slim/core';
import { windowBytes } from './http2-settings.js';

/** The largest window there is (RFC 9113 section 6.9.1). */
const maxWindowBytes = 2 ** 31 - 1;
/** At least so long from one to the next: what comes all the time is not held back. */
const intervalMs = 2;
const noBytes = new Uint8Array(0);

/** The connection of a link, on which it is the only stream. */
export interface DialledStream {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly clock: Clock;
}

/**
 * Has the system here acknowledge at once what nothing is sent in answer to. An official node keeps Nagle's algorithm
 * on: behind a message that is not acknowledged it holds back the next, and a system that has nothing to send
 * acknowledges 40 ms later (bench case `invite`). One byte more of window is the least that HTTP/2 lets us say without
 * an answer; a PING is answered, and its answer holds back what comes behind it. The window is that of the connection:
 * the window of the stream, which is what bounds the peer, stays as it is.
 */
export class PromptAcknowledgement {
  readonly #options: DialledStream;
  #bytes = windowBytes;
  #lastMs = -Infinity;
  #cancel: Cancel | undefined;

  constructor(options: DialledStream) {
    this.#options = options;
  }

  /** Something came that we may wait for, and nothing goes the other way. */
  unanswered(): void {
    if (this.#cancel) return;
    const { clock } = this.#options;
    const waitMs = this.#lastMs + intervalMs - clock.now();
    if (waitMs <= 0) return this.#acknowledge();
    this.#cancel = clock.schedule(Math.min(waitMs, intervalMs), () => {
      this.#cancel = undefined;
      this.#acknowledge();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #acknowledge(): void {
    const { session, stream, clock } = this.#options;
    if (session.destroyed || stream.writableEnded || this.#bytes === maxWindowBytes) return;
    this.#lastMs = clock.now();
    this.#bytes += 1;
    session.setLocalWindowSize(this.#bytes);
    // node:http2 keeps that until something is written. Nothing at all will do.
    stream.write(noBytes);
  }
}
