import type { Link } from '../link/link.js';
import { frame, type Frame } from '../wire/frame.js';
import { ForwardingLink } from './forwarding-link.js';

/** One frame on its way to or from an application. */
export interface Tapped {
  readonly message: Frame;
  readonly type: number | undefined;
  readonly isSent: boolean;
  /** In the order the links were dialled. */
  readonly linkIndex: number;
}

/** Listens on the links of a network, and loses or holds back what a test wants. */
export class LinkTap {
  readonly seen: Tapped[] = [];
  /** Decides what gets lost. */
  loses: (tapped: Tapped) => boolean = () => false;
  /** Decides what is held back until it is released. */
  holds: (tapped: Tapped) => boolean = () => false;
  #held: (() => void)[] = [];
  #links = 0;

  /** For `Fabric`. */
  readonly wrap = (link: Link): Link => {
    const linkIndex = this.#links++;
    return new TappedLink(link, (bytes, isSent, handOn) =>
      this.#pass({ bytes, linkIndex, isSent }, handOn),
    );
  };

  /** Lets go what is held back, in order, and holds nothing back any more. */
  release(): void {
    this.holds = () => false;
    for (const handOn of this.#held.splice(0)) handOn();
  }

  #pass(
    { bytes, ...where }: { bytes: Uint8Array; linkIndex: number; isSent: boolean },
    handOn: () => void,
  ): void {
    const message = frame.decode(bytes.slice());
    const tapped = { ...where, message, type: message.publish?.session?.messageType };
    this.seen.push(tapped);
    if (this.loses(tapped)) return;
    if (this.holds(tapped)) this.#held.push(handOn);
    else handOn();
  }
}

type Pass = (bytes: Uint8Array, isSent: boolean, handOn: () => void) => void;

class TappedLink extends ForwardingLink {
  readonly #pass: Pass;

  constructor(link: Link, pass: Pass) {
    super(link);
    this.#pass = pass;
  }

  override send(bytes: Uint8Array): boolean {
    let isWritable = true;
    this.#pass(bytes, true, () => (isWritable = super.send(bytes)));
    return isWritable;
  }

  protected override received(bytes: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    this.#pass(bytes, false, () => handOn(bytes));
  }
}
