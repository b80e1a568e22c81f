import type { Writable } from 'node:stream';
import { packFrames } from './frame-batch.js';
import { framedBytes } from './grpc-framing.js';

/** Bytes a sender may leave unwritten before it is asked to wait, unless told otherwise. */
const defaultHighWaterBytes = 1024 * 1024;

/**
 * A stream finishes what is written at once as a whole, however slowly it goes. So a link that is slow but not stuck
 * is seen to go on, and nobody gives it up (`NodeLimits.stallMs`).
 */
const maxUnderWayBytes = 256 * 1024;

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
  #underWayBytes = 0;
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
    this.#write(this.#batch.splice(0));
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  #flush(): void {
    this.#scheduled = false;
    this.#write(this.#nextFrames());
  }

  /** As many as may be under way; the rest follows when they are written. */
  #nextFrames(): readonly Uint8Array[] {
    const batch = this.#batch;
    let count = 0;
    let bytes = this.#underWayBytes;
    for (const frame of batch) {
      if (bytes >= maxUnderWayBytes) return batch.splice(0, count);
      bytes += framedBytes(frame);
      count += 1;
    }
    this.#batch = [];
    return batch;
  }

  #write(frames: readonly Uint8Array[]): void {
    if (frames.length === 0 || this.#stream.writableEnded || this.#stream.destroyed) return;
    this.#stream.cork();
    for (const piece of packFrames(frames)) {
      this.#underWayBytes += piece.length;
      // An error is not handled here: it ends the stream, which its owner watches.
      this.#stream.write(piece, () => this.#written(piece.length));
    }
    this.#stream.uncork();
  }

  #written(count: number): void {
    this.#queuedBytes -= count;
    this.#underWayBytes -= count;
    if (this.#underWayBytes === 0 && !this.#scheduled) this.#flush();
    if (!this.#behind || this.#queuedBytes > this.#highWaterBytes) return;
    this.#behind = false;
    this.#drained();
  }
}
