import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { frame } from '../wire/frame.js';
import { isPublish } from '../wire/publish-view.js';
import type { WireName } from '../wire/wire-name.js';
import type { ConnectionId } from './categories.js';
import type { Connection } from './connection.js';
import { FlowControl } from './flow-control.js';
import { Forwarder } from './forwarder.js';
import type { NodeLimits } from './node-limits.js';
import { PeerSync } from './peer-sync.js';
import { SubscriptionRequests } from './subscription-requests.js';
import { SubscriptionTable } from './subscription-table.js';
import type { Tally } from './tally.js';

/** What a router is made with. */
export interface FrameRouterOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly limits: NodeLimits;
  readonly isFullMesh: boolean;
  readonly connections: ReadonlyMap<ConnectionId, Connection>;
  readonly tally: Tally;
  readonly onForward: ((frame: Uint8Array) => void) | undefined;
}

/** What happens to the frames of links that have negotiated. */
export class FrameRouter {
  readonly table = new SubscriptionTable();
  readonly #tally: Tally;
  readonly #flow: FlowControl;
  readonly #sync: PeerSync;
  readonly #requests: SubscriptionRequests;
  readonly #forwarder: Forwarder;

  constructor(options: FrameRouterOptions) {
    const { clock, crypto, limits, isFullMesh, connections, tally, onForward } = options;
    const { table } = this;
    this.#tally = tally;
    const flow = new FlowControl(clock, limits);
    const { peerAckMs, maxSubscriptionsPerLink } = limits;
    const sync = new PeerSync({ clock, crypto, table, flow, peerAckMs, isFullMesh });
    this.#flow = flow;
    this.#sync = sync;
    this.#requests = new SubscriptionRequests({
      ...{ table, flow, sync, tally, maxSubscriptionsPerLink },
    });
    this.#forwarder = new Forwarder({
      ...{ clock, connections, table, flow, tally, isFullMesh, peers: sync, onForward },
    });
  }

  /** @throws SlimError `malformed-frame`; the link goes on */
  receive(connection: Connection, bytes: Uint8Array): void {
    if (isPublish(bytes)) this.#forwarder.publish(connection, bytes);
    else this.#control(connection, bytes);
  }

  /** A link has negotiated; `routes` are names that are reached by it, whatever it subscribes. */
  attach(connection: Connection, routes: readonly WireName[] = []): void {
    for (const name of routes) this.#requests.route(connection, name);
    if (connection.category === 'peer') this.#sync.attach(connection);
  }

  drained(connection: Connection): void {
    this.#flow.drained(connection);
    this.#sync.drained(connection);
  }

  /** A link is gone, and with it all that it wanted. */
  detach(connection: Connection): void {
    this.#flow.detach(connection);
    this.#requests.removeAll(connection);
  }

  #control(connection: Connection, bytes: Uint8Array): void {
    const message = frame.decode(bytes);
    const { subscribe, unsubscribe, subscriptionAck: ack } = message;
    // Fields may come in any order, so a Publish can be found only here.
    if (message.publish) this.#forwarder.publish(connection, bytes);
    else if (subscribe) this.#requests.subscribe(connection, subscribe);
    else if (unsubscribe) this.#requests.unsubscribe(connection, unsubscribe);
    else if (ack) this.#sync.answered(ack.id, connection);
    else if (!message.link) this.#tally.drop('malformed', connection);
  }
}
