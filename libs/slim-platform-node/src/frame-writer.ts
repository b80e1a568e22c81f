import type { Writable } from 'node:stream';
import { packFrames } from './frame-batch.js';
import { framedBytes } from './grpc-framing.js';

/** Bytes a sender may leave unwritten before it is asked to wait, unless told otherwise. */
const defaultHighWaterBytes = 1024 * 1024;

/**
 * Writes frames to a stream, all those of one turn of the event loop at once: a write costs far more
 * than a frame (reference: interop notes 7.2).
 */
export class FrameWriter {
  readonly #stream: Writable;
  readonly #drained: () => void;
  readonly #highWaterBytes: number;
  #batch: Uint8Array[] = [];
  #scheduled = false;
  #queuedBytes = 0;
  #behind = false;

  constructor(stream: Writable, drained: () => void, highWaterBytes = defaultHighWaterBytes) {
    this.#stream = stream;
    this.#drained = drained;
    this.#highWaterBytes = highWaterBytes;
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    this.#batch.push(frame);
    this.#queuedBytes += framedBytes(frame);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    this.#behind ||= this.#queuedBytes > this.#highWaterBytes;
    return !this.#behind;
  }

  /** Writes what is queued and ends the stream behind it. */
  end(): void {
    this.#flush();
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  #flush(): void {
    this.#scheduled = false;
    const batch = this.#batch;
    if (batch.length === 0 || this.#stream.writableEnded || this.#stream.destroyed) return;
    this.#batch = [];
    this.#stream.cork();
    for (const piece of packFrames(batch)) {
      // An error is not handled here: it ends the stream, which its owner watches.
      this.#stream.write(piece, () => this.#written(piece.length));
    }
    this.#stream.uncork();
  }

  #written(count: number): void {
    this.#queuedBytes -= count;
    if (!this.#behind || this.#queuedBytes > this.#highWaterBytes) return;
    this.#behind = false;
    this.#drained();
  }
}
