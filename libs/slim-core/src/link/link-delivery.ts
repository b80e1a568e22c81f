import type { SlimError } from '../errors/slim-error.js';
import type { LinkEvents } from './link.js';

type DeliveryState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'open'; readonly events: LinkEvents }
  | { readonly kind: 'ended'; readonly reason: SlimError | undefined };

/**
 * What a link reports to its owner, in the order the `Link` interface promises: frames are kept until
 * the owner opens and while it pauses, the end comes behind the frames and only once.
 */
export class LinkDelivery {
  #state: DeliveryState = { kind: 'waiting' };
  #inbox: Uint8Array[] = [];
  #ending: { readonly reason: SlimError | undefined } | undefined;
  /** How many of the inbox the owner has, while it takes them. */
  #taken = 0;
  #paused = false;
  #discarding = false;
  #delivering = false;

  /** True once nothing will be reported any more. */
  get ended(): boolean {
    return this.#state.kind === 'ended';
  }

  /** True while the owner takes frames. */
  get flowing(): boolean {
    return this.#state.kind === 'open' && !this.#paused;
  }

  /** Frames that the owner does not have yet. */
  get unread(): number {
    return this.#inbox.length - this.#taken;
  }

  open(events: LinkEvents): void {
    const state = this.#state;
    if (state.kind === 'ended') queueMicrotask(() => events.closed(state.reason));
    if (state.kind !== 'waiting') return;
    this.#state = { kind: 'open', events };
    queueMicrotask(() => this.deliver());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.deliver());
  }

  /** Takes a frame without delivering it yet, so that a decoder is never entered again. */
  readonly keep = (frame: Uint8Array): void => {
    if (!this.ended && !this.#discarding) this.#inbox.push(frame);
  };

  /** Delivers what the owner is ready to take. */
  deliver(): void {
    const state = this.#state;
    if (this.#delivering || state.kind !== 'open') return;
    this.#delivering = true;
    try {
      // The inbox may grow, and the owner may pause or end the link, while it handles a frame.
      while (this.flowing) {
        const frame = this.#inbox[this.#taken];
        if (!frame) break;
        // Before it is handed on: one that its owner chokes on is not brought again.
        this.#taken += 1;
        state.events.frame(frame);
      }
    } finally {
      this.#delivering = false;
      if (this.#taken > 0) this.#inbox = this.#inbox.slice(this.#taken);
      this.#taken = 0;
    }
    if (this.#ending && this.#inbox.length === 0) this.#finish(this.#ending.reason);
  }

  drained(): void {
    if (this.#state.kind === 'open') this.#state.events.drained();
  }

  /** Forgets frames from now on: the owner closes and waits for the end only. */
  discard(): void {
    this.#discarding = true;
    this.#inbox = [];
    this.deliver();
  }

  /** Reports the end once all frames are delivered. */
  end(reason: SlimError | undefined): void {
    this.#ending ??= { reason };
    this.deliver();
  }

  /** Reports the end now and forgets the frames that were not delivered. */
  abandon(reason: SlimError | undefined): void {
    this.#finish(reason);
  }

  #finish(reason: SlimError | undefined): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    this.#state = { kind: 'ended', reason };
    this.#inbox = [];
    if (state.kind === 'open') state.events.closed(reason);
  }
}
