import { SlimError } from '../errors/slim-error.js';
import { maxFrameBytes, type Link, type LinkEvents } from './link.js';
import { LinkDelivery } from './link-delivery.js';

/** Frames a reader may leave unread before the writer is asked to wait. */
const highWaterFrames = 512;

/** Two ends of a link inside one process. Frames are handed over as they are, in a later microtask. */
export function memoryLinkPair(
  names: readonly [string, string] = ['memory:a', 'memory:b'],
): [Link, Link] {
  const a = new MemoryLink(names[1]);
  const b = new MemoryLink(names[0]);
  a.join(b);
  b.join(a);
  return [a, b];
}

class MemoryLink implements Link {
  readonly remote: string;
  readonly #delivery = new LinkDelivery();
  #peer: MemoryLink = this;
  #isEnding = false;
  #isScheduled = false;
  #writerWaits = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  join(peer: MemoryLink): void {
    this.#peer = peer;
  }

  open(events: LinkEvents): void {
    this.#delivery.open(events);
    this.#wake();
  }

  send(frame: Uint8Array): boolean {
    if (this.#delivery.ended || this.#isEnding) return true;
    if (frame.length > maxFrameBytes) {
      const what = `a frame of ${frame.length} bytes, the limit is ${maxFrameBytes}`;
      throw new SlimError('message-too-large', what);
    }
    return this.#peer.#receive(frame);
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
    this.#wake();
  }

  close(reason?: SlimError): Promise<void> {
    this.#peer.#end(reason);
    this.#delivery.abandon(undefined);
    return Promise.resolve();
  }

  destroy(reason: SlimError): void {
    this.#peer.#end(undefined);
    this.#delivery.abandon(reason);
  }

  #receive(frame: Uint8Array): boolean {
    if (this.#delivery.ended || this.#isEnding) return true;
    this.#delivery.keep(frame);
    // Whoever was told to wait is told when it need not, whatever it sent meanwhile.
    this.#writerWaits ||= this.#delivery.unread >= highWaterFrames;
    this.#wake();
    return !this.#writerWaits;
  }

  /** The other end is gone: what it sent before is delivered, then the end is reported. */
  #end(reason: SlimError | undefined): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    queueMicrotask(() => this.#delivery.end(reason));
  }

  #wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#delivery.deliver();
      if (!this.#writerWaits || this.#delivery.unread >= highWaterFrames) return;
      this.#writerWaits = false;
      this.#peer.#delivery.drained();
    });
  }
}
