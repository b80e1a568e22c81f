import type { Writable } from 'node:stream';
import { packFrames } from './frame-batch.js';
import { FrameQueue } from './frame-queue.js';
import { framedBytes } from './grpc-framing.js';

/** Writes frames to a stream, each behind its prefix. */
export class FrameWriter {
  readonly #stream: Writable;
  readonly #queue: FrameQueue;

  constructor(stream: Writable, drained: () => void, highWaterBytes?: number) {
    this.#stream = stream;
    const write = (frames: readonly Uint8Array[]): void => this.#write(frames);
    this.#queue = new FrameQueue({ bytesOf: framedBytes, write, drained }, highWaterBytes);
  }

  /** True while nothing waits or is under way. */
  get isIdle(): boolean {
    return this.#queue.isIdle;
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    return this.#queue.send(frame);
  }

  /** Writes what is queued and ends the stream behind it. */
  end(): void {
    this.#queue.flush();
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  #write(frames: readonly Uint8Array[]): void {
    if (this.#stream.writableEnded || this.#stream.destroyed) return;
    this.#stream.cork();
    for (const piece of packFrames(frames)) {
      // An error is not handled here: it ends the stream, which its owner watches.
      this.#stream.write(piece, () => this.#queue.written(piece.length));
    }
    this.#stream.uncork();
  }
}
