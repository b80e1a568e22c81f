import {
  LinkDelivery,
  maxFrameBytes,
  SlimError,
  type Cancel,
  type Clock,
  type Link,
  type LinkEvents,
} from '@nestjs-slim/core';
import type { CloseReport, WebSocketLike } from './web-socket-like.js';

/** Bytes a sender may leave unwritten before it is asked to wait. */
const highWaterBytes = 1024 * 1024;

/** How often a full socket is looked at: a browser does not tell when it has room again. */
const drainMs = 20;

/**
 * Bytes that may wait for an owner that paused. A browser cannot stop reading a socket, so beyond this the
 * link is given up.
 */
const maxUnreadBytes = 64 * 1024 * 1024;

/** How long the other end may take to end a link that we ended. */
const closeGraceMs = 5_000;

/** Close codes that mean an orderly end: normal, going away, none given (RFC 6455 section 7.4.1). */
const orderlyCodes: readonly number[] = [1000, 1001, 1005];

/** A page may give this code and those of applications, 3000 to 4999, no other. */
const normalCode = 1000;

/** A node does not take the link, and the text says why; dialled again, it would not either. */
const refusedCode = 1008;

/** A link on a WebSocket of a browser: each binary message is one frame. It owns the socket. */
export class BrowserLink implements Link {
  readonly remote: string;
  readonly #socket: WebSocketLike;
  readonly #clock: Clock;
  readonly #delivery = new LinkDelivery();
  readonly #gone: Promise<void>;
  /** Received, and not yet taken by the owner. */
  #unreadBytes = 0;
  #isOpen = true;
  #isGone: () => void = () => undefined;
  #cancelGrace: Cancel = () => undefined;
  /** Set while the sender waits for `drained`. */
  #cancelDrain: Cancel | undefined;

  /** `socket` is open. */
  constructor(socket: WebSocketLike, remote: string, clock: Clock) {
    this.remote = remote;
    this.#socket = socket;
    this.#clock = clock;
    this.#gone = new Promise((resolve) => (this.#isGone = resolve));
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', (report) => this.#finish(this.#endOf(report)));
  }

  open(events: LinkEvents): void {
    this.#delivery.open({
      frame: (bytes) => {
        this.#unreadBytes -= bytes.length;
        events.frame(bytes);
      },
      drained: () => events.drained(),
      closed: (reason) => events.closed(reason),
    });
  }

  send(frame: Uint8Array): boolean {
    if (!this.#isOpen) return true;
    if (frame.length > maxFrameBytes) {
      const what = `a frame of ${frame.length} bytes, the limit is ${maxFrameBytes}`;
      throw new SlimError('message-too-large', what);
    }
    // A frame is memory of its own or a view of such; nobody shares it between threads.
    this.#socket.send(frame as Uint8Array<ArrayBuffer>);
    if (this.#socket.bufferedAmount > highWaterBytes) this.#watchDrain();
    return this.#cancelDrain === undefined;
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): Promise<void> {
    this.#delivery.discard();
    this.#hangUp();
    return this.#gone;
  }

  destroy(reason: SlimError): void {
    this.#delivery.abandon(reason);
    this.#hangUp();
  }

  #receive(data: unknown): void {
    if (!this.#isOpen) return;
    if (!(data instanceof ArrayBuffer)) {
      const what = `${this.remote} sent a text message, expected binary ones`;
      return this.destroy(new SlimError('malformed-frame', what));
    }
    if (data.byteLength > maxFrameBytes) {
      const what = `a frame of ${data.byteLength} bytes from ${this.remote}, the limit is ${maxFrameBytes}`;
      return this.destroy(new SlimError('message-too-large', what));
    }
    this.#unreadBytes += data.byteLength;
    this.#delivery.keep(new Uint8Array(data));
    this.#delivery.deliver();
    if (this.#unreadBytes <= maxUnreadBytes) return;
    const what = `more than ${maxUnreadBytes} bytes of ${this.remote} are unread`;
    this.destroy(new SlimError('backpressure', what));
  }

  #watchDrain(): void {
    this.#cancelDrain ??= this.#clock.schedule(drainMs, () => {
      this.#cancelDrain = undefined;
      if (this.#socket.bufferedAmount > highWaterBytes) this.#watchDrain();
      else this.#delivery.drained();
    });
  }

  /** Ends our direction behind what is queued, and gives the other end time to end its own. */
  #hangUp(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close(normalCode);
    this.#cancelGrace = this.#clock.schedule(closeGraceMs, () => {
      const what = `${this.remote} did not end the link within ${closeGraceMs} ms`;
      this.#finish(new SlimError('link-closed', what));
    });
  }

  #finish(reason: SlimError | undefined): void {
    this.#isOpen = false;
    this.#cancelGrace();
    this.#cancelDrain?.();
    this.#cancelDrain = undefined;
    if (reason) this.#delivery.abandon(reason);
    else this.#delivery.end(undefined);
    this.#isGone();
  }

  #endOf({ code, reason }: CloseReport): SlimError | undefined {
    if (orderlyCodes.includes(code)) return undefined;
    const why = `WebSocket code ${code}${reason && `: ${reason}`}`;
    if (code === refusedCode) {
      return new SlimError('refused', `${this.remote} refused the link, ${why}`);
    }
    return new SlimError('link-closed', `${this.remote} is gone, ${why}`);
  }
}
