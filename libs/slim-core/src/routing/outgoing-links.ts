import { SlimError } from '../errors/slim-error.js';
import { defaultBackoff } from '../link/backoff.js';
import type { Link, LinkDialler, LinkEvents } from '../link/link.js';
import type { Negotiated } from '../link/negotiation.js';
import { formatId, nameId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { WireName } from '../wire/wire-name.js';
import { maxNameBytes, nodeLimits } from './node-limits.js';
import type { ConnectOptions, PeerNode, RoutingNodeOptions } from './node-options.js';
import { OutgoingLink } from './outgoing-link.js';

/** What outgoing links need of their node. */
export interface OutgoingLinksOwner {
  /** Takes over a link; messages for `routes` go to it. @throws SlimError `refused` */
  take(link: Link, negotiated: Negotiated, routes: readonly WireName[]): LinkEvents;
  /** An attempt to have a link failed. */
  failed(target: string, reason: SlimError): void;
}

/** The links that a node keeps up itself. */
export class OutgoingLinks {
  readonly #options: RoutingNodeOptions;
  readonly #owner: OutgoingLinksOwner;
  readonly #links = new Set<OutgoingLink>();

  constructor(options: RoutingNodeOptions, owner: OutgoingLinksOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Dials those replicas that wait for us to (reference: data plane 4.5). */
  dialPeers(nodes: readonly PeerNode[]): void {
    const { nodeId: own } = this.#options;
    for (const { nodeId, dialler } of nodes) {
      if (own < nodeId) this.open(dialler, { kind: 'peer', linkId: `${own}:${nodeId}` });
    }
  }

  /** @throws SlimError `invalid-name` for a route, `invalid-config` for an empty link id or routes over a limit */
  open(dialler: LinkDialler, options: ConnectOptions): OutgoingLink {
    const { crypto, clock, nodeId, peers } = this.#options;
    const { kind, linkId = this.#randomLinkId(), backoff = defaultBackoff } = options;
    if (linkId === '')
      throw new SlimError('invalid-config', 'expected a link id, got an empty text');
    const limits = nodeLimits(this.#options.limits);
    const routes = readRoutes(options.routes ?? [], limits.maxSubscriptionsPerLink);
    const { negotiationTimeoutMs } = limits;
    const self = { nodeId, deploymentName: peers?.deploymentName ?? '' };
    const parts = { dialler, crypto, clock, kind, linkId, self, backoff, negotiationTimeoutMs };
    const link = new OutgoingLink(parts, {
      established: (opened, negotiated) => this.#owner.take(opened, negotiated, routes),
      failed: (reason) => this.#owner.failed(dialler.target, reason),
      ended: () => this.#links.delete(link),
    });
    this.#links.add(link);
    return link;
  }

  /** Ends all of them and dials no more. */
  async close(): Promise<void> {
    await Promise.all([...this.#links].map((link) => link.close()));
  }

  #randomLinkId(): string {
    const [high = 0n, low = 0n] = new BigUint64Array(
      this.#options.crypto.random(16).slice().buffer,
    );
    return formatId(nameId((high << 64n) | low));
  }
}

function readRoutes(routes: readonly string[], limit: number): readonly WireName[] {
  if (routes.length > limit) {
    const what = `expected at most ${limit} routes of a link, got ${routes.length}`;
    throw new SlimError('invalid-config', what);
  }
  return routes.map((text) => {
    const name = WireName.of(SlimName.parse(text));
    if (name.bytes.length <= maxNameBytes) return name;
    const what = `expected a route of at most ${maxNameBytes} bytes, got ${name.bytes.length}`;
    throw new SlimError('invalid-config', what);
  });
}
