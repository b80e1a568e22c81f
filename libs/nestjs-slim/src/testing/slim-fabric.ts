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
  type NodeCounters,
  type SlimName,
} from '@nestjs-slim/core';
import { LossyLinks, ManualClock, type Faults } from '@nestjs-slim/core/testing';
import { SlimApp, nodeCrypto } from '@nestjs-slim/platform-node';
import { SlimClient, type SlimClientOptions } from '../slim-client.js';
import type { SlimOptions } from '../slim-options.js';

/** How a network in memory is made. */
export interface SlimFabricOptions {
  /**
   * `'manual'`: time stands still until `advance` or `until` moves it, so that every time-out and repetition
   * is the test's own. A `ManualClock` of your own has to begin near the time of the machine, which MLS
   * compares its lifetimes with. The machine's clock unless given.
   */
  readonly clock?: Clock | 'manual';
  /** Decides which frames suffer when faults begin; 1 unless given. */
  readonly seed?: number;
  /** What its applications share, for those with an identity of their own; new for every network unless given. */
  readonly secret?: string;
}

/**
 * A SLIM network in this process, for tests: a routing node, and links in memory to whatever is made with
 * its options. Nothing listens, nothing leaves the process, and links can be made to lose, repeat and delay
 * frames, and be cut.
 */
export class SlimFabric {
  readonly clock: Clock;
  private readonly lossy: LossyLinks;
  private readonly node: RoutingNode;
  private readonly identity: IdentitySource;
  /** The applications' ends, with the names of the applications. */
  private readonly links = new Map<Link, string>();
  private readonly endings: (() => Promise<void>)[] = [];
  private isDown = false;

  private constructor({ clock = systemClock, seed = 1, secret }: SlimFabricOptions) {
    this.clock = clock === 'manual' ? new ManualClock(systemClock.now()) : clock;
    this.lossy = new LossyLinks(seed, this.clock);
    this.node = new RoutingNode({ crypto: nodeCrypto, clock: this.clock, nodeId: 'fabric' });
    this.identity = sharedSecret({ secret: secret ?? randomSecret() });
  }

  static async start(options: SlimFabricOptions = {}): Promise<SlimFabric> {
    await loadNameHash();
    return new SlimFabric(options);
  }

  /** What the node has and has seen: links, subscriptions, frames. */
  get counters(): NodeCounters {
    return this.node.counters;
  }

  /**
   * Options that connect to this network, for `SlimModule.forRoot`, `SlimServer`, `SlimClient`. A link that
   * was cut is dialled again at once.
   */
  options(name: SlimName | string, extra: Partial<SlimOptions> = {}): SlimOptions {
    const { clock, identity } = this;
    const owner = String(extra.name ?? name);
    const node = { target: 'fabric', dial: async () => this.dial(owner) };
    return { name, identity, node, clock, backoff: { firstMs: 1, maxMs: 10 }, ...extra };
  }

  /** A client with a connection of its own, closed with the network. */
  client(target: SlimName | string, extra: Partial<SlimClientOptions> = {}): SlimClient {
    const client = new SlimClient({ target, ...this.options('test/fabric/client', extra) });
    this.closing(() => client.close());
    return client;
  }

  /** An application that knows nothing of Nest, closed with the network. */
  async app(name: SlimName | string, extra: Partial<SlimOptions> = {}): Promise<SlimApp> {
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

  /** Ends every link that there is, or those of one application; whoever had one dials again. */
  cut(name?: SlimName | string): void {
    const wanted = name === undefined ? undefined : String(name);
    for (const [link, owner] of this.links) {
      if ((wanted ?? owner) !== owner) continue;
      this.links.delete(link);
      link.destroy(new SlimError('link-failed', 'cut by the test'));
    }
  }

  /** The node is away: every link is cut, and none can be opened until `goUp`. */
  goDown(): void {
    this.isDown = true;
    this.cut();
  }

  goUp(): void {
    this.isDown = false;
  }

  /**
   * Moves the manual clock, and lets what is due happen.
   * @throws SlimError `invalid-config` when the clock is not manual
   */
  async advance(byMs: number): Promise<void> {
    this.manual().advance(byMs);
    await turn();
  }

  /**
   * Lets time pass on the manual clock until the work settles: much faster than the machine's clock, and
   * slow enough for crypto, which takes its time on other threads. Settles as the work does.
   * @throws SlimError `invalid-config` when the clock is not manual, `timeout` when `withinMs` passed; an
   * hour unless given
   */
  async until<Value>(work: Promise<Value>, withinMs = 3_600_000): Promise<Value> {
    const clock = this.manual();
    const endMs = clock.now() + withinMs;
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (await turns(); !isOver; await turns()) {
      if (clock.now() >= endMs) throw new SlimError('timeout', `not done within ${withinMs} ms`);
      clock.advance(1);
    }
    return work;
  }

  /** Has something ended by `close`, before what was there earlier. */
  closing(end: () => Promise<unknown>): void {
    this.endings.push(async () => void (await end()));
  }

  /**
   * Ends clients, applications and whatever else was named, last first, then the network. A manual clock
   * moves as far as that takes.
   * @throws SlimError `invalid-config` when a manual clock still has timers: somebody was not closed
   */
  async close(): Promise<void> {
    this.heal();
    // What was lost is repeated when its time comes, and closing waits for that.
    for (const end of this.endings.splice(0).toReversed()) {
      await (this.clock instanceof ManualClock ? this.until(end()) : end());
    }
    await this.node.close();
    if (this.clock instanceof ManualClock && this.clock.pending > 0) {
      throw new SlimError('invalid-config', `timers left behind: ${this.clock.pending}`);
    }
  }

  private manual(): ManualClock {
    if (this.clock instanceof ManualClock) return this.clock;
    throw new SlimError('invalid-config', "expected the clock of the fabric to be 'manual'");
  }

  private dial(owner: string): Link {
    if (this.isDown) throw new SlimError('link-failed', 'the fabric is down');
    const [near, far] = memoryLinkPair(['application', 'fabric']);
    this.node.accept(far);
    const link = this.lossy.wrap(near);
    this.links.set(link, owner);
    return link;
  }
}

/** Applications of two networks never take each other for one of theirs. */
function randomSecret(): string {
  return Buffer.from(nodeCrypto.random(32)).toString('hex');
}

/** Lets everything happen in this thread that waits for nothing but its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function turns(): Promise<void> {
  for (let count = 0; count < 10; count += 1) await turn();
}
