import { randomUUID } from 'node:crypto';
import {
  RoutingNode,
  memoryLinkPair,
  systemClock,
  type Clock,
  type Link,
  type LinkListener,
  type NodeCounters,
} from '@nestjs-slim/core';
import { listenHttp2 } from './http2-listener.js';
import { nodeCrypto } from './node-crypto.js';

/** How a node listens and treats its links. */
export interface SlimNodeOptions {
  /** Where to listen; nothing is listened on when absent, and only this process can connect. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Announced to the other end of every link; random unless given. */
  readonly nodeId?: string;
  /** Refuse links that cannot authenticate their headers; true unless said otherwise. */
  readonly requireHeaderMac?: boolean;
  readonly clock?: Clock;
  /** Opens the port; `listenHttp2` unless another transport is wanted, such as `listenGrpcJs`. */
  readonly listener?: typeof listenHttp2;
  /** Sees every frame that leaves, as it leaves. For demos and diagnosis. */
  readonly onForward?: (frame: Uint8Array) => void;
}

/** A routing node in this process: it accepts links of the network and of applications beside it. */
export class SlimNode {
  readonly #node: RoutingNode;
  readonly #listener: LinkListener | undefined;

  private constructor(node: RoutingNode, listener: LinkListener | undefined) {
    this.#node = node;
    this.#listener = listener;
  }

  /** @throws SlimError `link-failed` when the port cannot be opened */
  static async start(options: SlimNodeOptions = {}): Promise<SlimNode> {
    const { clock = systemClock, nodeId = `node-${randomUUID()}` } = options;
    const { listen, listener = listenHttp2, requireHeaderMac = true, onForward } = options;
    const node = new RoutingNode({
      crypto: nodeCrypto,
      clock,
      nodeId,
      requireHeaderMac,
      ...(onForward && { onForward }),
    });
    const opened = listen ? await listener(listen, (link) => node.accept(link)) : undefined;
    return new SlimNode(node, opened);
  }

  /** Where it listens, as a URL for `SlimApp.connect`; undefined when it does not. */
  get url(): string | undefined {
    return this.#listener?.url;
  }

  get counters(): NodeCounters {
    return this.#node.counters;
  }

  /** A link from an application in this process. */
  connectLocal(): Link {
    const [inside, outside] = memoryLinkPair(['application', 'node in this process']);
    this.#node.acceptLocal(inside);
    return outside;
  }

  /** Ends every link in order and frees the port. May be called twice. */
  async close(): Promise<void> {
    await this.#node.close();
    await this.#listener?.close();
  }
}
