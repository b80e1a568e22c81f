import { randomUUID } from 'node:crypto';
import {
  RoutingNode,
  loadNameHash,
  memoryLinkPair,
  systemClock,
  type CloseOptions,
  type ConnectOptions,
  type Link,
  type LinkDialler,
  type LinkListener,
  type NodeCounters,
  type NodeEvents,
  type NodeSnapshot,
  type OutgoingLink,
  type RouteSnapshot,
  type RoutingNodeOptions,
  type SlimError,
} from '@nestjs-slim/core';
import { listenHttp2 } from './http2-listener.js';
import type { ListenerOptions } from './listener-options.js';
import { nodeCrypto } from './node-crypto.js';

/** Opens a listener that hands links to `accept`, and tells `refused` of those it turned away itself. */
export type OpenListener = (
  accept: (link: Link) => void,
  refused: (reason: SlimError, remote: string) => void,
) => Promise<LinkListener>;

/** Where a node listens: an address for `listener`, or a function for a listener of another kind. */
export type NodeListen = ListenerOptions | OpenListener;

/** How a node listens and treats its links. */
export interface SlimNodeOptions extends Partial<
  Pick<
    RoutingNodeOptions,
    'clock' | 'nodeId' | 'requireHeaderMac' | 'peers' | 'limits' | 'onForward'
  >
> {
  /** Where to listen; nothing is listened on when absent, and only this process can connect. */
  readonly listen?: NodeListen | readonly NodeListen[];
  /** Opens the ports; `listenHttp2` unless another transport is wanted, such as `listenGrpcJs`. */
  readonly listener?: typeof listenHttp2;
}

/** A routing node in this process: it accepts links of the network and of applications beside it. */
export class SlimNode {
  readonly #node: RoutingNode;
  readonly #listeners: LinkListener[] = [];

  private constructor(node: RoutingNode) {
    this.#node = node;
  }

  /** @throws SlimError `link-failed` when a port cannot be opened, `invalid-config` */
  static async start(options: SlimNodeOptions = {}): Promise<SlimNode> {
    const { listen = [], listener = listenHttp2, clock = systemClock, ...rest } = options;
    await loadNameHash();
    const nodeId = options.nodeId ?? `node-${randomUUID()}`;
    const core = new RoutingNode({ ...rest, crypto: nodeCrypto, clock, nodeId });
    const node = new SlimNode(core);
    try {
      for (const one of [listen].flat() as readonly NodeListen[]) await node.#listen(one, listener);
    } catch (reason) {
      await node.close();
      throw reason;
    }
    return node;
  }

  /** Where it listens first, as a URL for `SlimApp.connect`; undefined when it does not. */
  get url(): string | undefined {
    return this.#listeners[0]?.url;
  }

  /** Where it listens, in the order of `listen`. */
  get urls(): readonly string[] {
    return this.#listeners.map(({ url }) => url);
  }

  get counters(): NodeCounters {
    return this.#node.counters;
  }

  /** The node and its links as they are now. */
  snapshot(): NodeSnapshot {
    return this.#node.snapshot();
  }

  /** Names that are subscribed, at most so many, in no order. */
  routes(limit: number): RouteSnapshot[] {
    return this.#node.routes(limit);
  }

  /** Calls the listener at each such event; returns how to stop listening. */
  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void {
    return this.#node.on(name, listener);
  }

  /**
   * Keeps up a link to another node: dials until it is there, and again whenever it is lost.
   * @throws SlimError `invalid-name` for a route, `invalid-config`, `link-closed` when the node is closing
   */
  connect(dialler: LinkDialler, options: ConnectOptions): OutgoingLink {
    return this.#node.connect(dialler, options);
  }

  /** A link from an application in this process. */
  connectLocal(): Link {
    const [inside, outside] = memoryLinkPair(['application', 'node in this process']);
    this.#node.acceptLocal(inside);
    return outside;
  }

  /**
   * Drains: takes no new links, lets out what is queued, ends every link in order and frees the ports.
   * What is not done by the deadline is cut. May be called twice.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const listeners = this.#listeners.map((listener) => listener.close());
    await Promise.all([this.#node.close(options), ...listeners]);
  }

  async #listen(listen: NodeListen, listener: typeof listenHttp2): Promise<void> {
    const accept = (link: Link): void => this.#node.accept(link);
    const refused = (reason: SlimError, remote: string): void => {
      this.#node.turnedAway(remote, reason);
    };
    if (typeof listen === 'function') {
      this.#listeners.push(await listen(accept, refused));
      return;
    }
    const onRefused = (reason: SlimError, remote: string): void => {
      refused(reason, remote);
      listen.onRefused?.(reason, remote);
    };
    this.#listeners.push(await listener({ ...listen, onRefused }, accept));
  }
}
