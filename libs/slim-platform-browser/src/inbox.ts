import type { LinkEvents, SlimError } from '@nestjs-slim/core';

/**
 * What came for the owner of a link, in the order the `Link` interface promises: frames are kept until the
 * owner opens and while it pauses, the end comes behind the frames and only once.
 */
export class Inbox {
  #events: LinkEvents | undefined;
  #frames: Uint8Array[] = [];
  #unreadBytes = 0;
  #end: { readonly reason: SlimError | undefined } | undefined;
  #paused = false;
  #delivering = false;
  #told = false;

  /** Of frames that wait for the owner. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  open(events: LinkEvents): void {
    this.#events ??= events;
    queueMicrotask(() => this.#deliver());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.#deliver());
  }

  add(frame: Uint8Array): void {
    if (this.#end) return;
    this.#frames.push(frame);
    this.#unreadBytes += frame.length;
    this.#deliver();
  }

  drained(): void {
    if (!this.#told) this.#events?.drained();
  }

  /** Forgets frames that were not delivered. */
  clear(): void {
    this.#frames = [];
    this.#unreadBytes = 0;
  }

  /** Reports the end behind the frames. Only the first end counts. */
  end(reason: SlimError | undefined): void {
    this.#end ??= { reason };
    this.#deliver();
  }

  #deliver(): void {
    const events = this.#events;
    if (!events || this.#delivering || this.#told) return;
    this.#delivering = true;
    try {
      // Frames may come, and the owner may pause or end the link, while it handles one.
      for (let frame = this.#take(); frame; frame = this.#take()) events.frame(frame);
    } finally {
      this.#delivering = false;
    }
    if (!this.#end || this.#frames.length > 0) return;
    this.#told = true;
    events.closed(this.#end.reason);
  }

  #take(): Uint8Array | undefined {
    const frame = this.#paused ? undefined : this.#frames.shift();
    this.#unreadBytes -= frame?.length ?? 0;
    return frame;
  }
}
