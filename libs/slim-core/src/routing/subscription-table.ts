import { SlimError } from '../errors/slim-error.js';
import { formatId, nullId, type NameId } from '../names/name-id.js';
import type { Tagged } from '../names/tagged.js';
import type { WireName } from '../wire/wire-name.js';

/** Number of a connection in the table of one node. */
export type ConnectionId = Tagged<number, 'ConnectionId'>;

/** What of a name is routed by: not its strings. */
export type RoutedName = Pick<WireName, 'prefix' | 'id'>;

/** How close a connection is; the first category with a receiver wins (reference: data plane 5.3). */
export const categories = ['local', 'remote', 'peer', 'edge'] as const;
export type Category = (typeof categories)[number];

/**
 * Who wants what: name prefix → instance id → category → connection. What a connection holds is kept by
 * connection, name and id, so that no client can touch what another one subscribed. A name costs its
 * entry once and nothing per lookup (bench cases `memory of a node` and `node forwarding`).
 */
export class SubscriptionTable {
  readonly #services = new Map<string, Service>();
  readonly #held = new Map<ConnectionId, Map<Instance, SubscriptionIds>>();

  /** Subscriptions held, counting each (connection, name) once. */
  get size(): number {
    let size = 0;
    for (const held of this.#held.values()) size += held.size;
    return size;
  }

  /** Adds one subscription. Returns false when the connection had the name under that id already. */
  add(
    name: RoutedName,
    connection: ConnectionId,
    category: Category,
    subscriptionId: bigint,
  ): boolean {
    const instance = this.#instance(name);
    let held = this.#held.get(connection);
    if (!held) this.#held.set(connection, (held = new Map()));
    const ids = held.get(instance);
    if (ids === undefined) {
      held.set(instance, subscriptionId);
      instance.add(category, connection);
      instance.service.join(category, connection);
      return true;
    }
    const more = withId(ids, subscriptionId);
    if (more) held.set(instance, more);
    return more !== undefined;
  }

  /**
   * Takes one subscription back. An id that is not known is accepted where it cannot be mistaken,
   * because an official client forgets its ids when it reconnects (reference: data plane 4.2).
   * @throws SlimError `no-route` with the official peer's text when there is nothing to take back.
   */
  remove(name: RoutedName, connection: ConnectionId, subscriptionId: bigint): void {
    const service = this.#services.get(name.prefix);
    if (!service) throw new SlimError('no-route', 'subscription not found');
    const instance = service.instances.get(name.id);
    if (!instance) throw new SlimError('no-route', `id not found: ${formatId(name.id)}`);
    const held = this.#held.get(connection);
    const ids = held?.get(instance);
    const left = ids === undefined ? undefined : takeId(ids, subscriptionId);
    if (left === undefined) {
      throw new SlimError('no-route', `subscription id not found: ${subscriptionId}`);
    }
    if (left > 0) return;
    held?.delete(instance);
    if (held?.size === 0) this.#held.delete(connection);
    this.#leave(instance, connection);
  }

  /** Takes back everything a connection subscribed. */
  removeConnection(connection: ConnectionId): void {
    const held = this.#held.get(connection);
    this.#held.delete(connection);
    for (const instance of held?.keys() ?? []) this.#leave(instance, connection);
  }

  /** One receiver in turn, never the sender itself. */
  selectOne(name: RoutedName, sender: ConnectionId): ConnectionId | undefined {
    return this.#receivers(name)?.next(sender);
  }

  /** Every receiver once, never the sender itself. */
  selectAll(name: RoutedName, sender: ConnectionId): ConnectionId[] {
    return this.#receivers(name)?.all(sender) ?? [];
  }

  #receivers(name: RoutedName): Receivers | undefined {
    const service = this.#services.get(name.prefix);
    return name.id === nullId ? service : service?.instances.get(name.id);
  }

  #instance(name: RoutedName): Instance {
    let service = this.#services.get(name.prefix);
    if (!service) this.#services.set(name.prefix, (service = new Service(name.prefix)));
    let instance = service.instances.get(name.id);
    if (!instance) service.instances.set(name.id, (instance = new Instance(service, name.id)));
    return instance;
  }

  #leave(instance: Instance, connection: ConnectionId): void {
    const { service } = instance;
    service.leave(connection);
    instance.remove(connection);
    if (!instance.isEmpty) return;
    service.instances.delete(instance.id);
    if (service.instances.size === 0) this.#services.delete(service.prefix);
  }
}

/** What one connection holds of one name: nearly always one id, which needs no set. */
type SubscriptionIds = bigint | Set<bigint>;

/** The ids with one more, or undefined when it is among them. */
function withId(ids: SubscriptionIds, id: bigint): SubscriptionIds | undefined {
  if (typeof ids === 'bigint') return ids === id ? undefined : new Set([ids, id]);
  return ids.has(id) ? undefined : ids.add(id);
}

/** How many are left without that id, or without the only one; undefined when it could mean several. */
function takeId(ids: SubscriptionIds, id: bigint): number | undefined {
  if (typeof ids === 'bigint') return 0;
  if (ids.delete(id) || ids.delete(0n)) return ids.size;
  return ids.size > 1 ? undefined : 0;
}

/** The connections of one category, and whose turn it is. */
interface Ring {
  readonly category: Category;
  readonly connections: ConnectionId[];
  cursor: number;
}

/** Connections by category, the closest first. */
class Receivers {
  readonly #rings: Ring[] = [];

  get isEmpty(): boolean {
    return this.#rings.length === 0;
  }

  /** Takes a connection that it does not have. */
  add(category: Category, connection: ConnectionId): void {
    const rank = categories.indexOf(category);
    const ring = this.#rings.find((known) => known.category === category);
    if (ring) return void ring.connections.push(connection);
    const farther = this.#rings.findIndex((known) => categories.indexOf(known.category) > rank);
    const at = farther < 0 ? this.#rings.length : farther;
    // A list of one from the start: one that grows from nothing takes room for seventeen.
    this.#rings.splice(at, 0, { category, connections: [connection], cursor: 0 });
  }

  remove(connection: ConnectionId): void {
    for (const [index, ring] of this.#rings.entries()) {
      const at = ring.connections.indexOf(connection);
      if (at < 0) continue;
      ring.connections.splice(at, 1);
      if (ring.cursor > at) ring.cursor -= 1;
      if (ring.connections.length === 0) this.#rings.splice(index, 1);
      return;
    }
  }

  next(except: ConnectionId): ConnectionId | undefined {
    for (const ring of this.#rings) {
      const found = nextOf(ring, except);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  all(except: ConnectionId): ConnectionId[] {
    const all: ConnectionId[] = [];
    for (const { connections } of this.#rings) {
      for (const connection of connections) if (connection !== except) all.push(connection);
    }
    return all;
  }
}

function nextOf(ring: Ring, except: ConnectionId): ConnectionId | undefined {
  const { connections } = ring;
  for (let step = 0; step < connections.length; step += 1) {
    const at = (ring.cursor + step) % connections.length;
    const connection = connections[at];
    if (connection === undefined || connection === except) continue;
    ring.cursor = (at + 1) % connections.length;
    return connection;
  }
  return undefined;
}

/** Who has one name. */
class Instance extends Receivers {
  readonly service: Service;
  readonly id: NameId;

  constructor(service: Service, id: NameId) {
    super();
    this.service = service;
    this.id = id;
  }
}

/** All instances of one `org/namespace/service`; as receivers, whoever has any of them. */
class Service extends Receivers {
  readonly prefix: string;
  readonly instances = new Map<NameId, Instance>();
  /** How many instances each connection has. */
  readonly #counts = new Map<ConnectionId, number>();

  constructor(prefix: string) {
    super();
    this.prefix = prefix;
  }

  /** The connection has one more instance. */
  join(category: Category, connection: ConnectionId): void {
    const count = this.#counts.get(connection) ?? 0;
    this.#counts.set(connection, count + 1);
    if (count === 0) this.add(category, connection);
  }

  /** The connection has one instance less. */
  leave(connection: ConnectionId): void {
    const count = this.#counts.get(connection) ?? 0;
    if (count > 1) return void this.#counts.set(connection, count - 1);
    this.#counts.delete(connection);
    this.remove(connection);
  }
}
