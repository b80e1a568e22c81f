/** Bytes a sender may leave unwritten before it is asked to wait, unless told otherwise. */
const defaultHighWaterBytes = 1024 * 1024;

/**
 * A stream finishes what is written at once as a whole, however slowly it goes. So a link that is slow but not stuck
 * is seen to go on, and nobody gives it up (`NodeLimits.stallMs`).
 */
const maxUnderWayBytes = 256 * 1024;

/** Where the frames of a queue go. */
export interface FrameOutlet {
  /** What a frame takes when it is written, with what goes in front of it. */
  bytesOf(frame: Uint8Array): number;
  /** Writes frames at once, in order, and tells `FrameQueue.written` as they leave. */
  write(frames: readonly Uint8Array[]): void;
  /** There is room again, after `send` said that there is none. */
  drained(): void;
}

/**
 * Frames on their way to a stream, all those of one turn of the event loop at once: a write costs far more
 * than a frame (reference: interop notes 7.2).
 */
export class FrameQueue {
  readonly #outlet: FrameOutlet;
  readonly #highWaterBytes: number;
  #batch: Uint8Array[] = [];
  #scheduled = false;
  #queuedBytes = 0;
  #underWayBytes = 0;
  #behind = false;

  constructor(outlet: FrameOutlet, highWaterBytes = defaultHighWaterBytes) {
    this.#outlet = outlet;
    this.#highWaterBytes = highWaterBytes;
  }

  /** True while nothing waits or is under way. */
  get isIdle(): boolean {
    return this.#queuedBytes === 0;
  }

  /** Queues a frame. False asks the caller to wait for `drained`. */
  send(frame: Uint8Array): boolean {
    this.#batch.push(frame);
    this.#queuedBytes += this.#outlet.bytesOf(frame);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#write(this.#next());
      });
    }
    this.#behind ||= this.#queuedBytes > this.#highWaterBytes;
    return !this.#behind;
  }

  /** Writes what is queued, however much: nothing follows it. */
  flush(): void {
    this.#underWayBytes = this.#queuedBytes;
    this.#write(this.#batch.splice(0));
  }

  /** So many bytes have left. */
  written(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#underWayBytes -= bytes;
    if (this.#underWayBytes === 0 && !this.#scheduled) this.#write(this.#next());
    if (!this.#behind || this.#queuedBytes > this.#highWaterBytes) return;
    this.#behind = false;
    this.#outlet.drained();
  }

  /** As many as may be under way; the rest follows when they are written. */
  #next(): readonly Uint8Array[] {
    const batch = this.#batch;
    let count = 0;
    for (const frame of batch) {
      if (this.#underWayBytes >= maxUnderWayBytes) return batch.splice(0, count);
      this.#underWayBytes += this.#outlet.bytesOf(frame);
      count += 1;
    }
    this.#batch = [];
    return batch;
  }

  #write(frames: readonly Uint8Array[]): void {
    if (frames.length > 0) this.#outlet.write(frames);
  }
}
