import { Subject } from 'rxjs';
import type { Link, LinkDialler } from '@nestjs-slim/core';
import { ForwardingLink } from '@nestjs-slim/core/testing';
import { room } from './names.js';
import { messageType, seenFrame, type SeenFrame } from './seen-frame.js';

/**
 * Dials as another dialler does, for somebody who does not want to leave a channel. From `hold` on the
 * application hears nothing of the changes of the channel, its own removal among them: it keeps its keys and
 * stays subscribed, so the node goes on bringing it what is said.
 */
export class UnwillingDialler implements LinkDialler {
  readonly target: string;
  /** Each message of the channel that arrived since `hold`. */
  readonly arrived$ = new Subject<SeenFrame>();
  readonly #inner: LinkDialler;
  readonly #held: (() => void)[] = [];
  #channelId: number | undefined;
  #isHolding = false;

  constructor(inner: LinkDialler) {
    this.#inner = inner;
    this.target = inner.target;
  }

  hold(): void {
    this.#isHolding = true;
  }

  /** Gives the application what was held back, in its order. */
  release(): void {
    this.#isHolding = false;
    for (const deliver of this.#held.splice(0)) deliver();
  }

  async dial(signal: AbortSignal): Promise<Link> {
    const link = await this.#inner.dial(signal);
    return new SiftedLink(link, (frame, deliver) => this.#sift(frame, deliver));
  }

  #sift(bytes: Uint8Array, deliver: () => void): void {
    const frame = seenFrame(bytes);
    const isMessage = frame?.messageType === messageType.msg && frame.destination.service === room;
    if (isMessage) this.#channelId = frame.sessionId;
    const isOfChannel = frame !== undefined && frame.sessionId === this.#channelId;
    const isControl = isOfChannel && frame.messageType >= messageType.firstControl;
    if (this.#isHolding && isControl) return void this.#held.push(deliver);
    deliver();
    if (this.#isHolding && isMessage) this.arrived$.next(frame);
    return undefined;
  }
}

/** A link whose incoming frames pass through a sieve. */
class SiftedLink extends ForwardingLink {
  readonly #sift: (frame: Uint8Array, deliver: () => void) => void;

  constructor(link: Link, sift: (frame: Uint8Array, deliver: () => void) => void) {
    super(link);
    this.#sift = sift;
  }

  protected override received(bytes: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    this.#sift(bytes, () => handOn(bytes));
  }
}
