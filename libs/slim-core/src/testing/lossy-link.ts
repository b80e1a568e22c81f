import type { Cancel, Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import type { Link } from '../link/link.js';
import { ForwardingLink } from './forwarding-link.js';
import { seededRandom } from './seeded-random.js';

/** How often what goes wrong, from 0 to 1 for each frame. */
export interface Faults {
  readonly drop: number;
  readonly duplicate: number;
  /** Comes later than it should, up to `maxDelayMs`, so that others overtake it. */
  readonly delay: number;
  readonly maxDelayMs: number;
  /** Ends the link. */
  readonly cut: number;
}

const noFaults: Faults = { drop: 0, duplicate: 0, delay: 0, maxDelayMs: 0, cut: 0 };

/** How an encoded frame begins that is a Publish: with field 3, a submessage. */
const publishTag = 0x1a;

/**
 * Links of one network that lose, repeat, hold back and reorder Publish frames as a seed says, until it is
 * healed. Negotiation and subscriptions come through, unless a link is cut altogether.
 */
export class LossyLinks {
  readonly random: () => number;
  readonly #clock: Clock;
  readonly #held = new Set<() => void>();
  #faults = noFaults;

  constructor(seed: number, clock: Clock) {
    this.random = seededRandom(seed);
    this.#clock = clock;
  }

  get faults(): Faults {
    return this.#faults;
  }

  /** Puts faults on a link; for `Fabric`. */
  readonly wrap = (link: Link): Link => new LossyLink(link, this);

  begin(faults: Faults): void {
    this.#faults = faults;
  }

  /** Nothing goes wrong any more, and what is held back goes on now. */
  heal(): void {
    this.#faults = noFaults;
    for (const release of [...this.#held]) release();
  }

  /** Hands a frame on: now, later, twice or never. */
  carry(frame: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    const { drop, duplicate, delay, maxDelayMs } = this.#faults;
    if (this.random() < duplicate) this.#hold(this.random() * maxDelayMs, frame.slice(), handOn);
    if (this.random() < drop) return;
    if (this.random() < delay) this.#hold(this.random() * maxDelayMs, frame, handOn);
    else handOn(frame);
  }

  #hold(delayMs: number, frame: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    let cancel: Cancel = () => undefined;
    const release = (): void => {
      cancel();
      this.#held.delete(release);
      handOn(frame);
    };
    this.#held.add(release);
    cancel = this.#clock.schedule(delayMs, release);
  }
}

class LossyLink extends ForwardingLink {
  readonly #links: LossyLinks;
  #isOver = false;

  constructor(link: Link, links: LossyLinks) {
    super(link);
    this.#links = links;
  }

  override send(frame: Uint8Array): boolean {
    let isWritable = true;
    this.#pass(frame, (carried) => (isWritable = super.send(carried)));
    return isWritable;
  }

  protected override received(bytes: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    this.#pass(bytes, (frame) => {
      if (!this.#isOver) handOn(frame);
    });
  }

  protected override closed(handOn: () => void): void {
    this.#isOver = true;
    handOn();
  }

  #pass(frame: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    if (frame[0] !== publishTag || this.#links.faults === noFaults) return handOn(frame);
    if (this.#links.random() < this.#links.faults.cut) {
      return this.destroy(new SlimError('link-failed', 'the link was cut'));
    }
    return this.#links.carry(frame, handOn);
  }
}
