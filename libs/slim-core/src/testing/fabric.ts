import { SlimApp, type SlimAppOptions } from '../app/slim-app.js';
import { sharedSecret } from '../auth/shared-secret.js';
import { systemClock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import type { Link, LinkDialler } from '../link/link.js';
import { memoryLinkPair } from '../link/memory-link.js';
import { RoutingNode } from '../routing/routing-node.js';

/** A network in one process: a routing node, and applications on links in memory that negotiate with it. */
export class Fabric {
  readonly node: RoutingNode;
  /** The applications' ends of their links, in the order they were dialled. */
  readonly links: Link[] = [];
  readonly #crypto: Crypto;
  readonly #secret: string;
  readonly #wrap: (link: Link) => Link;
  readonly #apps: SlimApp[] = [];

  /** `wrap` may put something between an application and its link, such as a fault. */
  constructor(crypto: Crypto, secret: string, wrap: (link: Link) => Link = (link) => link) {
    this.#crypto = crypto;
    this.#secret = secret;
    this.#wrap = wrap;
    this.node = new RoutingNode({ crypto, clock: systemClock, nodeId: 'fabric' });
  }

  get dialler(): LinkDialler {
    return {
      target: 'memory',
      dial: () => {
        const [near, far] = memoryLinkPair();
        this.node.accept(far);
        const link = this.#wrap(near);
        this.links.push(link);
        return Promise.resolve(link);
      },
    };
  }

  /** Connects an application, by the secret of the fabric unless another identity is given. */
  async connect(name: string, options: Partial<SlimAppOptions> = {}): Promise<SlimApp> {
    const app = await SlimApp.connect({
      identity: sharedSecret({ secret: this.#secret }),
      diallers: [this.dialler],
      ...options,
      crypto: this.#crypto,
      name,
    });
    this.#apps.push(app);
    return app;
  }

  /** Closes every application, then the node. */
  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.node.close();
  }
}
