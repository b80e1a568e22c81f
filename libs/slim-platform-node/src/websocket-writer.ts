import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Bytes a sender may leave unwritten before it is asked to wait, unless told otherwise. */
const defaultQueuedBytes = 1024 * 1024;

/** What a message takes beside its bytes, at most (RFC 6455 section 5.2). */
const headerBytes = 14;

/** When a writer asks its sender to wait, and how it says that it need not any more. */
export interface WebSocketWriterOptions {
  readonly maxQueuedBytes?: number;
  drained(): void;
}

/**
 * Sends frames as binary messages, all those of one turn of the event loop in one write: a write costs
 * far more than a frame (reference: interop notes 7.2).
 */
export class WebSocketWriter {
  readonly #socket: WebSocket;
  /** What the messages are written to; held back within a turn. */
  readonly #transport: Duplex;
  readonly #highWaterBytes: number;
  readonly #drained: () => void;
  #queuedBytes = 0;
  #corked = false;
  #behind = false;

  constructor(socket: WebSocket, transport: Duplex, options: WebSocketWriterOptions) {
    this.#socket = socket;
    this.#transport = transport;
    this.#highWaterBytes = options.maxQueuedBytes ?? defaultQueuedBytes;
    this.#drained = () => options.drained();
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    this.#cork();
    const bytes = frame.length + headerBytes;
    this.#queuedBytes += bytes;
    // An error is not handled here: it ends the socket, which its owner watches.
    this.#socket.send(frame, () => this.#written(bytes));
    this.#behind ||= this.#queuedBytes > this.#highWaterBytes;
    return !this.#behind;
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#transport.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#transport.uncork();
    });
  }

  #written(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (!this.#behind || this.#queuedBytes > this.#highWaterBytes) return;
    this.#behind = false;
    this.#drained();
  }
}
