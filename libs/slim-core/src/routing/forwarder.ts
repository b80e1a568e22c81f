import type { Clock } from '../clock/clock.js';
import { maxFrameBytes } from '../link/link.js';
import { fanout } from '../wire/header.js';
import {
  forwardPublish,
  patchPublish,
  viewPublish,
  type PublishView,
} from '../wire/publish-view.js';
import type { Category, ConnectionId } from './categories.js';
import type { Connection } from './connection.js';
import { FirstCopies } from './first-copies.js';
import type { FlowControl } from './flow-control.js';
import type { SubscriptionTable } from './subscription-table.js';
import type { Tally } from './tally.js';

/** What forwarding works with. */
export interface ForwarderOptions {
  readonly clock: Clock;
  readonly connections: ReadonlyMap<ConnectionId, Connection>;
  readonly table: SubscriptionTable;
  readonly flow: FlowControl;
  readonly tally: Tally;
  /** Replicas are linked each with each: what one sends is not for another one. */
  readonly isFullMesh: boolean;
  /** How many replicas there are. */
  readonly peers: { readonly size: number };
  readonly onForward: ((frame: Uint8Array) => void) | undefined;
}

/** Takes messages from links to where they are wanted: checks and renews what belongs to a hop, no more. */
export class Forwarder {
  // A field each, because they are looked at for every frame.
  readonly #connections: ForwarderOptions['connections'];
  readonly #table: SubscriptionTable;
  readonly #flow: FlowControl;
  readonly #tally: Tally;
  readonly #isFullMesh: boolean;
  readonly #peers: ForwarderOptions['peers'];
  readonly #onForward: ForwarderOptions['onForward'];
  readonly #copies: FirstCopies;

  constructor(options: ForwarderOptions) {
    this.#connections = options.connections;
    this.#table = options.table;
    this.#flow = options.flow;
    this.#tally = options.tally;
    this.#isFullMesh = options.isFullMesh;
    this.#peers = options.peers;
    this.#onForward = options.onForward;
    this.#copies = new FirstCopies(options.clock);
  }

  /** @throws SlimError `malformed-frame` */
  publish(connection: Connection, bytes: Uint8Array): void {
    const view = viewPublish(bytes, connection.lastHeader);
    const { header } = view;
    if (connection.mac?.verify(header, header.headerMac) === false) {
      return this.#tally.drop('header-mac', connection);
    }
    if (ttlLeft(connection, view) <= 0) return this.#tally.drop('ttl', connection);
    if (header.fanout === fanout.one) this.#toOne(connection, view);
    else this.#toAll(connection, view);
  }

  /** From a replica it goes to our own first: passed on for ever among replicas, it would reach nobody. */
  #toOne(connection: Connection, view: PublishView): void {
    const last: Category | undefined = connection.category === 'peer' ? 'peer' : undefined;
    const receiver = this.#table.selectOne(view.destination, connection.id, last);
    if (receiver === undefined) return this.#tally.drop('no-route', connection);
    if (last && this.#isFullMesh && this.#connections.get(receiver)?.category === last) {
      return this.#tally.drop('no-route', connection);
    }
    this.#forward(connection, receiver, view, true);
  }

  #toAll(connection: Connection, view: PublishView): void {
    const without = connection.category === 'peer' && this.#isFullMesh ? 'peer' : undefined;
    const receivers = this.#table.selectAll(view.destination, connection.id, without);
    const last = receivers.pop();
    if (last === undefined) return this.#tally.drop('no-route', connection);
    if (this.#isRepeated(connection, view)) return this.#tally.drop('duplicate', connection);
    for (const receiver of receivers) this.#forward(connection, receiver, view, false);
    this.#forward(connection, last, view, true);
  }

  /** Only replicas that pass on what other ones sent can form a ring. */
  #isRepeated({ id }: Connection, view: PublishView): boolean {
    if (this.#isFullMesh || this.#peers.size < 2) return false;
    return this.#copies.isRepeated(view, id, (known) => this.#connections.has(known));
  }

  /** The last receiver gets the frame itself, where that will do: it belongs to this node. */
  #forward(from: Connection, to: ConnectionId, view: PublishView, isLast: boolean): void {
    const receiver = this.#connections.get(to);
    if (!receiver?.isEstablished) return this.#tally.drop('no-route', from);
    if (receiver.pressure.kind === 'shedding') return this.#tally.drop('overload', receiver);
    const ttl = ttlLeft(from, view);
    // receivedFrom and forwardTo steer the tables of one node; from a link they are not obeyed, and
    // they end here like every other value of one hop.
    const tag = receiver.mac?.tag(view.header.hop(ttl));
    const patched = isLast ? patchPublish(view, ttl, tag) : undefined;
    const bytes = patched ?? forwardPublish(view, ttl, tag);
    if (bytes.length > maxFrameBytes) return this.#tally.drop('too-large', from);
    this.#tally.forwarded += 1;
    this.#tally.forwardedBytes += bytes.length;
    this.#onForward?.(bytes);
    if (!receiver.send(bytes)) this.#flow.full(receiver, from);
  }
}

/** Hops that a message may still take behind this one. */
function ttlLeft({ category }: Connection, { header }: PublishView): number {
  return category === 'local' ? header.ttl : header.ttl - 1;
}
