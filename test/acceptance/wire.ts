import { SlimError, type Link, type LinkDialler, type LinkEvents } from '@nestjs-slim/core';

/** The way to a node, as a dialler: a test sees what goes over it, and can hold, refuse, mute and cut. */
export class Wire implements LinkDialler {
  readonly target = 'the node, by a wire of the test';
  /** Whole frames, both ways, in the order they passed. */
  readonly frames: Uint8Array[] = [];
  /** How often somebody dialled. */
  dials = 0;
  /** Links that are open now. */
  open = 0;
  /** Frames vanish, in both directions; nobody is told. */
  isMute = false;
  /** What a dial waits for; a failure fails the dial. */
  beforeDial: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** When set, nobody is told that a link ended, until the test calls these. */
  lateEnds: (() => void)[] | undefined;
  readonly #node: LinkDialler;
  readonly #links = new Set<Link>();

  constructor(node: LinkDialler) {
    this.#node = node;
  }

  async dial(signal: AbortSignal): Promise<Link> {
    this.dials += 1;
    await this.beforeDial(signal);
    const link = await this.#node.dial(signal);
    this.#links.add(link);
    return new WiredLink(link, this);
  }

  /** Ends every link. */
  cut(): void {
    for (const link of this.#links) link.destroy(new SlimError('link-failed', 'cut by the test'));
    this.#links.clear();
  }

  /** True when it is to be handed on. */
  passes(frame: Uint8Array): boolean {
    if (this.isMute) return false;
    this.frames.push(frame.slice());
    return true;
  }

  ended(tell: () => void): void {
    this.open -= 1;
    if (this.lateEnds) this.lateEnds.push(tell);
    else tell();
  }
}

class WiredLink implements Link {
  readonly #link: Link;
  readonly #wire: Wire;

  constructor(link: Link, wire: Wire) {
    this.#link = link;
    this.#wire = wire;
  }

  get remote(): string {
    return this.#link.remote;
  }

  open(events: LinkEvents): void {
    this.#wire.open += 1;
    this.#link.open({
      frame: (bytes) => this.#wire.passes(bytes) && events.frame(bytes),
      drained: () => events.drained(),
      closed: (reason) => this.#wire.ended(() => events.closed(reason)),
    });
  }

  send(frame: Uint8Array): boolean {
    return this.#wire.passes(frame) ? this.#link.send(frame) : true;
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  destroy(reason: SlimError): void {
    this.#link.destroy(reason);
  }
}
