import type { SlimError } from '../errors/slim-error.js';
import type { Link, LinkEvents } from '../link/link.js';

interface Waiting {
  readonly condition: () => boolean;
  readonly settle: () => void;
}

/** Opens a link and writes down everything it reports. */
export class LinkProbe implements LinkEvents {
  readonly link: Link;
  readonly frames: Uint8Array[] = [];
  /** The reasons that `closed` was called with. One, when all is well. */
  readonly ends: (SlimError | undefined)[] = [];
  drains = 0;
  readonly #onFrame: (link: Link) => void;
  #waiting: Waiting[] = [];

  /** `onFrame` runs inside each delivery, as an owner does that pauses or ends the link there. */
  constructor(link: Link, onFrame: (link: Link) => void = () => undefined) {
    this.link = link;
    this.#onFrame = onFrame;
    link.open(this);
  }

  frame(bytes: Uint8Array): void {
    this.frames.push(bytes);
    this.#onFrame(this.link);
    this.#settle();
  }

  drained(): void {
    this.drains += 1;
    this.#settle();
  }

  closed(reason: SlimError | undefined): void {
    this.ends.push(reason);
    this.#settle();
  }

  /** Settles once the condition holds, which is looked at after every event. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((settle) => this.#waiting.push({ condition, settle }));
  }

  /** Settles once so many frames have come. */
  received(count: number): Promise<void> {
    return this.until(() => this.frames.length >= count);
  }

  /** Settles once the link has ended. */
  ended(): Promise<void> {
    return this.until(() => this.ends.length > 0);
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ condition }) => !condition());
    for (const one of waiting) if (!this.#waiting.includes(one)) one.settle();
  }
}
