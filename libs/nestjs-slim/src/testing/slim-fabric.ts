import {
  RoutingNode,
  SlimError,
  loadNameHash,
  memoryLinkPair,
  sharedSecret,
  systemClock,
  type Clock,
  type IdentitySource,
  type Link,
} from '@nestjs-slim/core';
import { LossyLinks, ManualClock, type Faults } from '@nestjs-slim/core/testing';
import { SlimApp, nodeCrypto } from '@nestjs-slim/platform-node';
import { SlimClient, type SlimClientOptions } from '../slim-client.js';
import type { SlimOptions } from '../slim-options.js';

/** How a network in memory is made. */
export interface SlimFabricOptions {
  /** A `ManualClock` makes every time-out and repetition the test's own; the machine's clock unless given. */
  readonly clock?: Clock;
  /** Decides which frames suffer when faults begin; 1 unless given. */
  readonly seed?: number;
}

/**
 * A SLIM network in this process, for tests: a routing node, and links in memory to whatever is made with
 * its options. Nothing listens, nothing leaves the process, and links can be made to lose, repeat, delay
 * and cut.
 */
export class SlimFabric {
  readonly clock: Clock;
  /** Frames that are lost, repeated or late, as the seed says; see `begin` and `heal`. */
  private readonly lossy: LossyLinks;
  private readonly node: RoutingNode;
  private readonly identity: IdentitySource;
  private readonly links = new Set<Link>();
  private readonly endings: (() => Promise<void>)[] = [];

  private constructor({ clock = systemClock, seed = 1 }: SlimFabricOptions) {
    this.clock = clock;
    this.lossy = new LossyLinks(seed, clock);
    this.node = new RoutingNode({ crypto: nodeCrypto, clock, nodeId: 'fabric' });
    this.identity = sharedSecret({ secret: randomSecret() });
  }

  static async start(options: SlimFabricOptions = {}): Promise<SlimFabric> {
    await loadNameHash();
    return new SlimFabric(options);
  }

  /** Options that connect to this network, for `SlimModule.forRoot`, `SlimServer`, `SlimClient`. */
  options(name: string, extra: Partial<SlimOptions> = {}): SlimOptions {
    const { clock, identity } = this;
    const node = { target: 'fabric', dial: () => Promise.resolve(this.dial()) };
    return { name, identity, node, clock, ...extra };
  }

  /** A client with a connection of its own, closed with the network. */
  client(target: string, extra: Partial<SlimClientOptions> = {}): SlimClient {
    const client = new SlimClient({ ...this.options('test/fabric/client'), target, ...extra });
    this.closing(() => client.close());
    return client;
  }

  /** An application that knows nothing of Nest, closed with the network. */
  async app(name: string, extra: Partial<SlimOptions> = {}): Promise<SlimApp> {
    const app = await SlimApp.connect(this.options(name, extra));
    this.closing(() => app.close());
    return app;
  }

  /** From now on frames between applications suffer, each with these probabilities. */
  begin(faults: Partial<Faults>): void {
    this.lossy.begin({ drop: 0, duplicate: 0, delay: 0, maxDelayMs: 0, cut: 0, ...faults });
  }

  /** Nothing goes wrong any more, and what is late arrives now. */
  heal(): void {
    this.lossy.heal();
  }

  /** Ends every link that there is; whoever had one dials again. */
  cut(): void {
    for (const link of this.links) link.destroy(new SlimError('link-closed', 'cut by the test'));
    this.links.clear();
  }

  /** Has something ended by `close`, before what was there earlier. */
  closing(end: () => Promise<unknown>): void {
    this.endings.push(async () => void (await end()));
  }

  /**
   * Ends clients, applications and whatever else was named, last first, then the network.
   * @throws SlimError `invalid-config` when a manual clock still has timers: somebody was not closed
   */
  async close(): Promise<void> {
    this.heal();
    for (const end of this.endings.splice(0).toReversed()) await end();
    await this.node.close();
    if (this.clock instanceof ManualClock && this.clock.pending > 0) {
      throw new SlimError('invalid-config', `${this.clock.pending} timers were left behind`);
    }
  }

  private dial(): Link {
    const [near, far] = memoryLinkPair(['application', 'fabric']);
    this.node.accept(far);
    const link = this.lossy.wrap(near);
    this.links.add(link);
    return link;
  }
}

/** New for every network: applications of two networks never take each other for one of theirs. */
function randomSecret(): string {
  return Buffer.from(nodeCrypto.random(32)).toString('hex');
}
