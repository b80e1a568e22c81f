import type {
  LinkSnapshot,
  NodeCounters,
  NodeEvents,
  NodeSnapshot,
  RouteSnapshot,
} from '@nestjs-slim/core';
import type { ObservedNode } from '../observed-node.js';

const noDrops: NodeCounters['dropped'] = {
  malformed: 0,
  'header-mac': 0,
  ttl: 0,
  'no-route': 0,
  'too-large': 0,
  duplicate: 0,
  overload: 0,
  limit: 0,
};

/** A link as a test wants it. */
export function fakeLink(fields: Partial<LinkSnapshot> & Pick<LinkSnapshot, 'id'>): LinkSnapshot {
  return {
    remote: `127.0.0.1:${50_000 + fields.id}`,
    linkId: `link-${fields.id}`,
    kind: 'edge',
    direction: 'incoming',
    state: 'established',
    peerNodeId: `peer-${fields.id}`,
    peerVersion: '2.3.0',
    sinceMs: 1_700_000_000_000,
    subscriptions: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    sentFrames: 0,
    sentBytes: 0,
    dropped: 0,
    isFull: false,
    ...fields,
  };
}

/** A node that is whatever a test says it is. */
export class FakeNode implements ObservedNode {
  links: LinkSnapshot[] = [];
  routeList: RouteSnapshot[] = [];
  state: NodeSnapshot['state'] = 'running';
  snapshots = 0;
  readonly #listeners = new Map<keyof NodeEvents, Set<(event: never) => void>>();
  #counters: NodeCounters = {
    ...{ connections: 0, subscriptions: 0, refused: 0, dropped: noDrops },
    ...{ received: 0, receivedBytes: 0, forwarded: 0, forwardedBytes: 0 },
  };

  get counters(): NodeCounters {
    return { ...this.#counters, connections: this.links.length };
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((total, { size }) => total + size, 0);
  }

  count(counters: Partial<Omit<NodeCounters, 'dropped'>>, dropped: object = {}): void {
    const drops = { ...this.#counters.dropped, ...dropped };
    this.#counters = { ...this.#counters, ...counters, dropped: drops };
  }

  snapshot(): NodeSnapshot {
    this.snapshots += 1;
    const { state, counters, links } = this;
    return { nodeId: 'node-a', state, startedAtMs: 1_700_000_000_000, counters, links: [...links] };
  }

  routes(limit: number): readonly RouteSnapshot[] {
    return this.routeList.slice(0, limit);
  }

  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit<Name extends keyof NodeEvents>(name: Name, event: NodeEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      (listener as (event: NodeEvents[Name]) => void)(event);
    }
  }
}
