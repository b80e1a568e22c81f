import type { ClientHttp2Stream } from 'node:http2';
import type { Cancel, Clock } from '@nestjs-slim/core';
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
 * nothing to send acknowledges 40 ms later (bench case `invite`). One byte more of window is the least that HTTP/2 lets
 * us say without an answer; a PING is answered, and its answer holds back what comes behind it. The window is that of
 * the connection: the window of the stream, the only one on it, is what bounds the peer and stays as it is.
 */
export class PromptAcknowledgement {
  readonly #stream: ClientHttp2Stream;
  readonly #clock: Clock;
  #bytes = windowBytes;
  #lastMs = -Infinity;
  #unansweredLeft = 0;
  #scheduled = false;
  #cancel: Cancel | undefined;

  constructor(stream: ClientHttp2Stream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** We sent something, and may wait for what comes next. */
  sent(): void {
    this.#unansweredLeft = maxUnanswered;
  }

  /** Something came. What `writer` sends in the same turn of the event loop acknowledges it as well. */
  received(writer: { readonly isIdle: boolean }): void {
    if (this.#scheduled || this.#unansweredLeft === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!writer.isIdle || this.#stream.destroyed) return;
      this.#unansweredLeft -= 1;
      this.#acknowledgeInTime();
    });
  }

  stop(): void {
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
    const { session, writableEnded } = this.#stream;
    if (!session || session.destroyed || writableEnded || this.#bytes === maxWindowBytes) return;
    this.#lastMs = this.#clock.now();
    this.#bytes += 1;
    session.setLocalWindowSize(this.#bytes);
    // node:http2 keeps that until something is written. Nothing at all will do.
    this.#stream.write(noBytes);
  }
}
