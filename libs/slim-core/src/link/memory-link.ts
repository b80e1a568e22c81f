import { SlimError } from '../errors/slim-error.js';
import { maxFrameBytes, type Link, type LinkEvents } from './link.js';

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

type LinkState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'open'; readonly events: LinkEvents }
  | { readonly kind: 'closed'; readonly reason: SlimError | undefined };

class MemoryLink implements Link {
  readonly remote: string;
  #peer: MemoryLink = this;
  #state: LinkState = { kind: 'waiting' };
  #inbox: Uint8Array[] = [];
  #ending: { readonly reason: SlimError | undefined } | undefined;
  #paused = false;
  #scheduled = false;
  #writerWaits = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  join(peer: MemoryLink): void {
    this.#peer = peer;
  }

  open(events: LinkEvents): void {
    const state = this.#state;
    if (state.kind === 'closed') queueMicrotask(() => events.closed(state.reason));
    if (state.kind !== 'waiting') return;
    this.#state = { kind: 'open', events };
    this.#wake();
  }

  send(frame: Uint8Array): boolean {
    if (this.#state.kind === 'closed' || this.#ending) return true;
    if (frame.length > maxFrameBytes) {
      const what = `a frame of ${frame.length} bytes, the limit is ${maxFrameBytes}`;
      throw new SlimError('message-too-large', what);
    }
    return this.#peer.#receive(frame);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  close(reason?: SlimError): Promise<void> {
    this.#peer.#end(reason);
    this.#finish(undefined);
    return Promise.resolve();
  }

  destroy(reason: SlimError): void {
    this.#inbox = [];
    this.#peer.#end(undefined);
    this.#finish(reason);
  }

  #receive(frame: Uint8Array): boolean {
    if (this.#state.kind === 'closed' || this.#ending) return true;
    this.#inbox.push(frame);
    this.#wake();
    this.#writerWaits = this.#inbox.length >= highWaterFrames;
    return !this.#writerWaits;
  }

  /** The other end is gone: deliver what it sent before, then report the end. */
  #end(reason: SlimError | undefined): void {
    if (this.#state.kind === 'closed' || this.#ending) return;
    this.#ending = { reason };
    this.#wake();
  }

  #wake(): void {
    if (this.#scheduled || this.#state.kind === 'waiting') return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#state.kind === 'open' && !this.#paused) {
      const batch = this.#inbox;
      if (batch.length === 0) break;
      this.#inbox = [];
      let taken = 0;
      for (const frame of batch) {
        if (this.#state.kind !== 'open' || this.#paused) break;
        taken += 1;
        this.#state.events.frame(frame);
      }
      if (taken < batch.length) this.#inbox = batch.slice(taken).concat(this.#inbox);
    }
    if (this.#writerWaits && this.#inbox.length < highWaterFrames) {
      this.#writerWaits = false;
      this.#peer.#drained();
    }
    if (this.#ending && this.#inbox.length === 0) this.#finish(this.#ending.reason);
  }

  #drained(): void {
    if (this.#state.kind === 'open') this.#state.events.drained();
  }

  #finish(reason: SlimError | undefined): void {
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#state = { kind: 'closed', reason };
    this.#inbox = [];
    if (state.kind === 'open') state.events.closed(reason);
  }
}
