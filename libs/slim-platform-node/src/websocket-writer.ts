import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { FrameQueue } from './frame-queue.js';

/** What a message takes beside its bytes, at most (RFC 6455 section 5.2). */
const headerBytes = 14;

/** When a writer asks its sender to wait, and how it says that it need not any more. */
export interface WebSocketWriterOptions {
  readonly maxQueuedBytes?: number;
  drained(): void;
}

/** Sends frames as binary messages. */
export class WebSocketWriter {
  readonly #socket: WebSocket;
  /** What the messages are written to. */
  readonly #transport: Writable;
  readonly #queue: FrameQueue;

  constructor(socket: WebSocket, transport: Writable, options: WebSocketWriterOptions) {
    this.#socket = socket;
    this.#transport = transport;
    const outlet = {
      bytesOf,
      write: (frames: readonly Uint8Array[]): void => this.#write(frames),
      drained: (): void => options.drained(),
    };
    this.#queue = new FrameQueue(outlet, options.maxQueuedBytes);
  }

  /** True while nothing waits or is under way. */
  get isIdle(): boolean {
    return this.#queue.isIdle;
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    return this.#queue.send(frame);
  }

  /** Writes what is queued; before the socket is closed, behind which nothing goes. */
  flush(): void {
    this.#queue.flush();
  }

  #write(frames: readonly Uint8Array[]): void {
    this.#transport.cork();
    for (const frame of frames) {
      // An error is not handled here: it ends the socket, which its owner watches.
      this.#socket.send(frame, () => this.#queue.written(bytesOf(frame)));
    }
    this.#transport.uncork();
  }
}

function bytesOf(frame: Uint8Array): number {
  return frame.length + headerBytes;
}
