import type { SlimError } from '../errors/slim-error.js';
import type { Link, LinkEvents } from '../link/link.js';

/** A link that passes everything on to another one, and back. What a test wants otherwise, it overrides. */
export class ForwardingLink implements Link {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  get remote(): string {
    return this.#link.remote;
  }

  open(events: LinkEvents): void {
    this.#link.open({
      frame: (bytes) => this.received(bytes, (frame) => events.frame(frame)),
      drained: () => events.drained(),
      closed: (reason) => this.closed(() => events.closed(reason)),
    });
  }

  send(frame: Uint8Array): boolean {
    return this.#link.send(frame);
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  close(reason?: SlimError): Promise<void> {
    return this.#link.close(reason);
  }

  destroy(reason: SlimError): void {
    this.#link.destroy(reason);
  }

  /** A frame came from the other end; `handOn` gives it to the owner. */
  protected received(bytes: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    handOn(bytes);
  }

  /** The link is over; `handOn` tells the owner. */
  protected closed(handOn: () => void): void {
    handOn();
  }
}
