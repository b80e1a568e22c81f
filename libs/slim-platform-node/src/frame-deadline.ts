import type { Cancel, Clock } from '@nestjs-slim/core';

/** What is watched and how. */
export interface FrameDeadlineOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Where the reading of frames stands. */
  readonly progress: { readonly completedFrames: number; readonly isMidFrame: boolean };
  /** False while we do not read, so that the other end cannot finish its frame. */
  isReading(): boolean;
  late(): void;
}

/** No frame: the one that was begun is not held against the other end. */
const none = -1;

/**
 * Notices a peer that begins a frame and does not finish it, however well it answers pings. One timer at
 * most, armed again only when it fires, because chunks end within a frame all the time.
 */
export class FrameDeadline {
  readonly #options: FrameDeadlineOptions;
  #cancel: Cancel | undefined;
  #stopped = false;
  /** The frame that has to be complete when the timer fires. */
  #due = none;

  constructor(options: FrameDeadlineOptions) {
    this.#options = options;
  }

  /** After bytes came in. */
  check(): void {
    if (!this.#stopped && this.#cancel === undefined && this.#options.progress.isMidFrame)
      this.#arm();
  }

  /** We stopped reading. */
  excuse(): void {
    this.#due = none;
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    const { clock, timeoutMs, progress } = this.#options;
    this.#due = this.#options.isReading() ? progress.completedFrames : none;
    this.#cancel = clock.schedule(timeoutMs, () => this.#judge());
  }

  #judge(): void {
    this.#cancel = undefined;
    const { progress } = this.#options;
    if (!progress.isMidFrame) return;
    if (progress.completedFrames === this.#due) return this.#options.late();
    this.#arm();
  }
}
