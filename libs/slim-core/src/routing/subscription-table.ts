import { SlimError } from '../errors/slim-error.js';
import { formatId, nullId, type NameId } from '../names/name-id.js';
import type { Tagged } from '../names/tagged.js';
import type { WireName } from '../wire/wire-name.js';

/** Number of a connection in the table of one node. */
export type ConnectionId = Tagged<number, 'ConnectionId'>;

/** How close a connection is; the first category with a receiver wins (reference: data plane 5.3). */
export const categories = ['local', 'remote', 'peer', 'edge'] as const;
export type Category = (typeof categories)[number];

/**
 * Who wants what: name prefix → instance id → category → connection → subscription ids. State is kept by
 * connection, name and id, so that no client can touch what another one subscribed.
 */
export class SubscriptionTable {
  readonly #prefixes = new Map<string, PrefixEntry>();
  readonly #byConnection = new Map<ConnectionId, Map<string, WireName>>();

  /** Subscriptions held, counting each (connection, name) once. */
  get size(): number {
    let size = 0;
    for (const names of this.#byConnection.values()) size += names.size;
    return size;
  }

  /** Adds one subscription. Returns false when the connection had the name under that id already. */
  add(
    name: WireName,
    connection: ConnectionId,
    category: Category,
    subscriptionId: bigint,
  ): boolean {
    let entry = this.#prefixes.get(name.prefix);
    if (!entry) this.#prefixes.set(name.prefix, (entry = new PrefixEntry()));
    const added = entry.add(name.id, connection, category, subscriptionId);
    let names = this.#byConnection.get(connection);
    if (!names) this.#byConnection.set(connection, (names = new Map()));
    names.set(routingKey(name), name);
    return added;
  }

  /**
   * Takes one subscription back. An id that is not known is accepted where it cannot be mistaken,
   * because an official client forgets its ids when it reconnects (reference: data plane 4.2).
   * @throws SlimError `no-route` with the official peer's text when there is nothing to take back.
   */
  remove(name: WireName, connection: ConnectionId, subscriptionId: bigint): void {
    const entry = this.#prefixes.get(name.prefix);
    if (!entry) throw new SlimError('no-route', 'subscription not found');
    if (!entry.has(name.id)) throw new SlimError('no-route', `id not found: ${formatId(name.id)}`);
    const left = entry.remove(name.id, connection, subscriptionId);
    if (left === undefined) {
      throw new SlimError('no-route', `subscription id not found: ${subscriptionId}`);
    }
    if (left > 0) return;
    this.#forget(name, connection);
    if (entry.isEmpty) this.#prefixes.delete(name.prefix);
  }

  /** Takes back everything a connection subscribed. */
  removeConnection(connection: ConnectionId): void {
    const names = this.#byConnection.get(connection);
    this.#byConnection.delete(connection);
    for (const name of names?.values() ?? []) {
      const entry = this.#prefixes.get(name.prefix);
      entry?.removeAll(name.id, connection);
      if (entry?.isEmpty) this.#prefixes.delete(name.prefix);
    }
  }

  /** One receiver in turn, never the sender itself. */
  selectOne(name: WireName, sender: ConnectionId): ConnectionId | undefined {
    const routes = this.#routes(name);
    for (const category of categories) {
      const found = routes?.next(category, sender);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Every receiver once, never the sender itself. */
  selectAll(name: WireName, sender: ConnectionId): ConnectionId[] {
    const all = new Set<ConnectionId>();
    const routes = this.#routes(name);
    for (const category of categories) {
      for (const connection of routes?.members(category) ?? []) all.add(connection);
    }
    all.delete(sender);
    return [...all];
  }

  #routes(name: WireName): Routes | undefined {
    const entry = this.#prefixes.get(name.prefix);
    return name.id === nullId ? entry?.any : entry?.of(name.id);
  }

  #forget(name: WireName, connection: ConnectionId): void {
    const names = this.#byConnection.get(connection);
    names?.delete(routingKey(name));
    if (names?.size === 0) this.#byConnection.delete(connection);
  }
}

const routingKey = (name: WireName): string => `${name.prefix}/${name.id.toString(36)}`;

/** All instances of one `org/namespace/service`. */
class PrefixEntry {
  /** The union over all ids, for messages to any instance. */
  readonly any = new Routes();
  readonly #byId = new Map<NameId, { routes: Routes; ids: Map<ConnectionId, Set<bigint>> }>();

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  has(id: NameId): boolean {
    return this.#byId.has(id);
  }

  of(id: NameId): Routes | undefined {
    return this.#byId.get(id)?.routes;
  }

  add(id: NameId, connection: ConnectionId, category: Category, subscriptionId: bigint): boolean {
    let instance = this.#byId.get(id);
    if (!instance) this.#byId.set(id, (instance = { routes: new Routes(), ids: new Map() }));
    let ids = instance.ids.get(connection);
    if (!ids) {
      instance.ids.set(connection, (ids = new Set()));
      instance.routes.add(category, connection);
      this.any.add(category, connection);
    }
    const before = ids.size;
    ids.add(subscriptionId);
    return ids.size > before;
  }

  /** Returns how many ids are left, or undefined when the id is not this connection's. */
  remove(id: NameId, connection: ConnectionId, subscriptionId: bigint): number | undefined {
    const ids = this.#byId.get(id)?.ids.get(connection);
    if (!ids) return undefined;
    if (!ids.delete(subscriptionId) && !ids.delete(0n)) {
      if (ids.size > 1) return undefined;
      ids.clear();
    }
    if (ids.size === 0) this.removeAll(id, connection);
    return ids.size;
  }

  removeAll(id: NameId, connection: ConnectionId): void {
    const instance = this.#byId.get(id);
    if (!instance?.ids.delete(connection)) return;
    instance.routes.remove(connection);
    if (instance.ids.size === 0) this.#byId.delete(id);
    const elsewhere = [...this.#byId.values()].some(({ ids }) => ids.has(connection));
    if (!elsewhere) this.any.remove(connection);
  }
}

/** Connections by category, each list with the cursor of its round robin. */
class Routes {
  readonly #lists = new Map<Category, { readonly connections: ConnectionId[]; cursor: number }>();

  add(category: Category, connection: ConnectionId): void {
    let list = this.#lists.get(category);
    if (!list) this.#lists.set(category, (list = { connections: [], cursor: 0 }));
    if (!list.connections.includes(connection)) list.connections.push(connection);
  }

  remove(connection: ConnectionId): void {
    for (const [category, list] of this.#lists) {
      const at = list.connections.indexOf(connection);
      if (at < 0) continue;
      list.connections.splice(at, 1);
      if (list.cursor > at) list.cursor -= 1;
      if (list.connections.length === 0) this.#lists.delete(category);
    }
  }

  members(category: Category): readonly ConnectionId[] {
    return this.#lists.get(category)?.connections ?? [];
  }

  next(category: Category, except: ConnectionId): ConnectionId | undefined {
    const list = this.#lists.get(category);
    if (!list) return undefined;
    const { connections } = list;
    for (let step = 0; step < connections.length; step += 1) {
      const at = (list.cursor + step) % connections.length;
      const connection = connections[at];
      if (connection === undefined || connection === except) continue;
      list.cursor = (at + 1) % connections.length;
      return connection;
    }
    return undefined;
  }
}
