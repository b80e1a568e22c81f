import { SlimError } from '../errors/slim-error.js';
import { frame } from '../wire/frame.js';
import { subscriptionAck, type Subscription } from '../wire/header.js';
import type { WireName } from '../wire/wire-name.js';
import type { Connection } from './connection.js';
import type { FlowControl } from './flow-control.js';
import { maxNameBytes } from './node-limits.js';
import type { PeerSync } from './peer-sync.js';
import { routeId, type Instance, type SubscriptionTable } from './subscription-table.js';
import type { Tally } from './tally.js';

/** What requests work with. */
export interface SubscriptionRequestsOptions {
  readonly table: SubscriptionTable;
  readonly flow: FlowControl;
  readonly sync: PeerSync;
  readonly tally: Tally;
  readonly maxSubscriptionsPerLink: number;
}

/** A request that stood the checks. */
interface Request {
  readonly name: WireName;
  readonly id: bigint;
  /** Hops that are left. */
  readonly ttl: number;
}

/** Deals with what links want to receive: checks it, keeps it, tells replicas, and confirms it. */
export class SubscriptionRequests {
  readonly #options: SubscriptionRequestsOptions;

  constructor(options: SubscriptionRequestsOptions) {
    this.#options = options;
  }

  subscribe(connection: Connection, body: Subscription): void {
    const request = this.#checked(connection, body);
    if (!request) return;
    this.#answered(connection, request, (confirm) =>
      connection.category === 'peer'
        ? this.#addOfPeer(connection, request, confirm)
        : this.#add(connection, request, confirm),
    );
  }

  unsubscribe(connection: Connection, body: Subscription): void {
    const request = this.#checked(connection, body);
    if (!request) return;
    this.#answered(connection, request, () => {
      this.#remove(connection, request);
      return false;
    });
  }

  /** Sends a name to a link that did not ask for it: its owner here did. */
  route(connection: Connection, name: WireName): void {
    this.#add(connection, { name, id: routeId, ttl: 0 }, () => undefined);
  }

  /** Forgets all that a link wanted which is gone. */
  removeAll(connection: Connection): void {
    const { table, sync } = this.#options;
    const names = table.removeConnection(connection.id);
    if (connection.category === 'peer') return sync.detach(connection);
    for (const instance of names) sync.changed(instance);
  }

  #checked(connection: Connection, { header, id }: Subscription): Request | undefined {
    const { tally } = this.#options;
    const name = header?.destination;
    if (!header?.source?.isRoutable || !name?.isRoutable) {
      tally.drop('malformed', connection);
      return undefined;
    }
    if (connection.mac?.verifyOnce(header, header.headerMac) === false) {
      tally.drop('header-mac', connection);
      return undefined;
    }
    const isLocal = connection.category === 'local';
    if (!isLocal && header.ttl <= 1) {
      tally.drop('ttl', connection);
      return undefined;
    }
    return { name, id, ttl: isLocal ? header.ttl : header.ttl - 1 };
  }

  /** Does it and confirms it, at once or, when `true` comes back, once `confirm` is called. */
  #answered(connection: Connection, { id }: Request, act: (confirm: () => void) => boolean): void {
    const confirm = (): void => this.#confirm(connection, id, '');
    try {
      if (!act(confirm)) confirm();
    } catch (reason) {
      this.#confirm(connection, id, SlimError.from(reason, 'no-route').message);
    }
  }

  #add(connection: Connection, { name, id }: Request, confirm: () => void): boolean {
    const { sync } = this.#options;
    const instance = this.#keep(connection, name, id);
    return instance !== undefined && sync.changed(instance, confirm);
  }

  #addOfPeer(connection: Connection, request: Request, confirm: () => void): boolean {
    const { sync } = this.#options;
    const { name, id, ttl } = request;
    if (sync.isKnown(id, connection)) return false;
    const instance = this.#keep(connection, name, id);
    if (!instance) return false;
    sync.changed(instance);
    return sync.learned(id, connection, { instance, ttl }, confirm);
  }

  /** Returns the name when there are replicas; those of its service that had no strings are told to them. */
  #keep(connection: Connection, name: WireName, id: bigint): Instance | undefined {
    const { table, sync } = this.#options;
    this.#checkRoom(connection, name);
    const wasNamed = table.isNamed(name);
    table.add(name, connection.id, connection.category, id);
    if (sync.size === 0) return undefined;
    const instance = table.find(name);
    if (wasNamed || !instance?.isNamed) return instance;
    for (const one of instance.siblings()) if (one !== instance) sync.changed(one);
    return instance;
  }

  #remove(connection: Connection, { name, id }: Request): void {
    const { table, sync } = this.#options;
    const isPeer = connection.category === 'peer';
    // Taken by another way, or ours: there is nothing to take back, but the replica needs it again.
    if (isPeer && sync.isKnown(id, connection)) return sync.offer(id, connection);
    const instance = table.find(name);
    const taken = table.remove(name, connection.id, id, isPeer);
    if (!instance) return;
    if (isPeer) sync.forgot(taken, connection, instance);
    else sync.changed(instance);
  }

  #checkRoom(connection: Connection, { bytes }: WireName): void {
    const { table, tally, maxSubscriptionsPerLink: limit } = this.#options;
    if (bytes.length > maxNameBytes) {
      tally.drop('limit', connection);
      throw new SlimError(
        'refused',
        `a name of ${bytes.length} bytes, the limit is ${maxNameBytes}`,
      );
    }
    if (table.countOf(connection.id) < limit) return;
    tally.drop('limit', connection);
    throw new SlimError('refused', `a link may have ${limit} subscriptions`);
  }

  /** Nobody waits for the answer to a request under id 0 (reference: data plane 4.2). */
  #confirm(connection: Connection, id: bigint, error: string): void {
    if (id === 0n) return;
    const { flow, tally } = this.#options;
    if (connection.pressure.kind === 'shedding') return tally.drop('overload', connection);
    const ack = subscriptionAck.make({ id, success: error === '', error });
    const bytes = frame.encode(frame.make({ subscriptionAck: ack }));
    if (!connection.send(bytes)) flow.full(connection, connection);
  }
}
