import type { Link, LinkEvents } from '../link/link.js';
import { frame, type Frame } from '../wire/frame.js';

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
    return {
      remote: link.remote,
      open: (events: LinkEvents) =>
        link.open({
          frame: (bytes) =>
            this.#pass({ bytes, linkIndex, isSent: false }, () => events.frame(bytes)),
          drained: () => events.drained(),
          closed: (reason) => events.closed(reason),
        }),
      send: (bytes) => {
        let isWritable = true;
        this.#pass({ bytes, linkIndex, isSent: true }, () => (isWritable = link.send(bytes)));
        return isWritable;
      },
      pause: () => link.pause(),
      resume: () => link.resume(),
      close: () => link.close(),
      destroy: (reason) => link.destroy(reason),
    };
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
