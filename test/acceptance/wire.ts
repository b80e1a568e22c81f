import { SlimError, type Link, type LinkDialler, type LinkEvents } from '@nestjs-slim/core';
import { ForwardingLink } from '@nestjs-slim/core/testing';

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

class WiredLink extends ForwardingLink {
  readonly #wire: Wire;

  constructor(link: Link, wire: Wire) {
    super(link);
    this.#wire = wire;
  }

  override open(events: LinkEvents): void {
    this.#wire.open += 1;
    super.open(events);
  }

  override send(frame: Uint8Array): boolean {
    return this.#wire.passes(frame) ? super.send(frame) : true;
  }

  protected override received(bytes: Uint8Array, handOn: (frame: Uint8Array) => void): void {
    if (this.#wire.passes(bytes)) handOn(bytes);
  }

  protected override closed(handOn: () => void): void {
    this.#wire.ended(handOn);
  }
}
