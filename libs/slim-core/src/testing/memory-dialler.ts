import { SlimError } from '../errors/slim-error.js';
import type { Link, LinkDialler } from '../link/link.js';
import { memoryLinkPair } from '../link/memory-link.js';
import type { RoutingNode } from '../routing/routing-node.js';

/** Dials a node in this process over links in memory, which can be cut. */
export class MemoryDialler implements LinkDialler {
  readonly target = 'memory';
  /** Nobody answers while this is set. */
  isDown = false;
  attempts = 0;
  readonly #node: RoutingNode;
  #link: Link | undefined;

  constructor(node: RoutingNode) {
    this.#node = node;
  }

  dial(): Promise<Link> {
    this.attempts += 1;
    if (this.isDown) return Promise.reject(new SlimError('link-failed', 'nobody answers'));
    const [near, far] = memoryLinkPair();
    this.#node.accept(far);
    this.#link = near;
    return Promise.resolve(near);
  }

  /** Cuts the link, as a network does. */
  cut(): void {
    this.#link?.destroy(new SlimError('link-closed', 'cut'));
  }
}
