import type { Writable } from 'node:stream';
import { encodeGrpcFrames, framedBytes } from './grpc-framing.js';

/** Bytes a sender may leave unwritten before it is asked to wait. */
const highWaterBytes = 1024 * 1024;

/**
 * Writes frames to a stream, all those of one turn of the event loop at once: a write costs far more
 * than a frame (reference: interop notes 7.2).
 */
export class FrameWriter {
  readonly #stream: Writable;
  readonly #drained: () => void;
  #batch: Uint8Array[] = [];
  #scheduled = false;
  #queuedBytes = 0;
  #behind = false;

  constructor(stream: Writable, drained: () => void) {
    this.#stream = stream;
    this.#drained = drained;
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    this.#batch.push(frame);
    this.#queuedBytes += framedBytes(frame);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    this.#behind ||= this.#queuedBytes > highWaterBytes;
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
    const bytes = encodeGrpcFrames(batch);
    // An error is not handled here: it ends the stream, which its owner watches.
    this.#stream.write(bytes, () => this.#written(bytes.length));
  }

  #written(count: number): void {
    this.#queuedBytes -= count;
    if (!this.#behind || this.#queuedBytes > highWaterBytes) return;
    this.#behind = false;
    this.#drained();
  }
}
