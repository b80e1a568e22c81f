import { SlimError } from '../errors/slim-error.js';
import { formatId, nullId, type NameId } from '../names/name-id.js';
import type { NameComponents } from '../names/slim-name.js';
import { WireName } from '../wire/wire-name.js';
import type { Category, ConnectionId } from './categories.js';
import type { RouteSnapshot } from './node-snapshot.js';
import { Receivers } from './receivers.js';

/** Stands for what the owner of a node wants at a link; no frame can say it, so no frame takes it back. */
export const routeId = -1n;

/** What of a name is routed by, and the strings, which are only for those who are told of it. */
export type RoutedName = Pick<WireName, 'prefix' | 'id'> & Partial<Pick<WireName, 'components'>>;

/**
 * Who wants what: name prefix → instance id → category → connection. What a connection holds is kept by
 * connection, name and id, so that no client can touch what another one subscribed. A name costs its
 * entry once and nothing per lookup (bench cases `memory of a node` and `node forwarding`).
 */
export class SubscriptionTable {
  readonly #services = new Map<string, Service>();
  readonly #held = new Map<ConnectionId, Held>();

  /** Subscriptions held, counting each (connection, name) once. */
  get size(): number {
    let size = 0;
    for (const { ids } of this.#held.values()) size += ids.size;
    return size;
  }

  /** Subscriptions of one connection, each id of a name counted. */
  countOf(connection: ConnectionId): number {
    return this.#held.get(connection)?.count ?? 0;
  }

  /** What is known of a name; undefined when nobody has it. */
  find(name: RoutedName): Instance | undefined {
    return this.#services.get(name.prefix)?.instances.get(name.id);
  }

  /** True when somebody gave the strings of its service. */
  isNamed({ prefix }: RoutedName): boolean {
    return this.#services.get(prefix)?.isNamed ?? false;
  }

  /** Every name that somebody has, in no order. */
  *names(): Generator<Instance> {
    for (const { instances } of this.#services.values()) yield* instances.values();
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
    if (!held) this.#held.set(connection, (held = { ids: new Map(), count: 0 }));
    const ids = held.ids.get(instance);
    const more = ids === undefined ? subscriptionId : withId(ids, subscriptionId);
    if (more === undefined) return false;
    held.ids.set(instance, more);
    held.count += 1;
    if (ids !== undefined) return true;
    instance.add(category, connection);
    instance.service.join(category, connection);
    return true;
  }

  /**
   * Takes one subscription back and returns its id. An id that is not known is accepted where it cannot
   * be mistaken, because an official client forgets its ids when it reconnects; with `any` it is accepted
   * always, because an official replica may give another id than at first (reference: data plane 4.2, 4.5).
   * @throws SlimError `no-route` with the official peer's text when there is nothing to take back.
   */
  remove(name: RoutedName, connection: ConnectionId, subscriptionId: bigint, any = false): bigint {
    const service = this.#services.get(name.prefix);
    if (!service) throw new SlimError('no-route', 'subscription not found');
    const instance = service.instances.get(name.id);
    if (!instance) throw new SlimError('no-route', `id not found: ${formatId(name.id)}`);
    const held = this.#held.get(connection);
    const ids = held?.ids.get(instance);
    const taken = ids === undefined ? undefined : takeId(ids, subscriptionId, any);
    if (!held || taken === undefined) {
      throw new SlimError('no-route', `subscription id not found: ${subscriptionId}`);
    }
    held.count -= 1;
    if (typeof ids === 'object' && ids.size > 0) return taken;
    held.ids.delete(instance);
    if (held.ids.size === 0) this.#held.delete(connection);
    this.#leave(instance, connection);
    return taken;
  }

  /** Takes back everything a connection subscribed; returns the names it had. */
  removeConnection(connection: ConnectionId): readonly Instance[] {
    const held = this.#held.get(connection);
    this.#held.delete(connection);
    const names = held ? [...held.ids.keys()] : [];
    for (const instance of names) this.#leave(instance, connection);
    return names;
  }

  /** One receiver in turn, never the sender itself; one of the category `last` only when there is no other. */
  selectOne(name: RoutedName, sender: ConnectionId, last?: Category): ConnectionId | undefined {
    return this.#receivers(name)?.next(sender, last);
  }

  /** Every receiver once, never the sender itself and none of the category `without`. */
  selectAll(name: RoutedName, sender: ConnectionId, without?: Category): ConnectionId[] {
    return this.#receivers(name)?.all(sender, without) ?? [];
  }

  #receivers(name: RoutedName): Receivers | undefined {
    const service = this.#services.get(name.prefix);
    return name.id === nullId ? service : service?.instances.get(name.id);
  }

  #instance(name: RoutedName): Instance {
    let service = this.#services.get(name.prefix);
    if (!service) this.#services.set(name.prefix, (service = new Service(name)));
    else service.spell(name);
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

/** What one connection holds. */
interface Held {
  readonly ids: Map<Instance, SubscriptionIds>;
  count: number;
}

/** The ids with one more, or undefined when it is among them. */
function withId(ids: SubscriptionIds, id: bigint): SubscriptionIds | undefined {
  if (typeof ids === 'bigint') return ids === id ? undefined : new Set([ids, id]);
  return ids.has(id) ? undefined : ids.add(id);
}

/** Takes out that id, or the only one, or with `any` one of them; undefined when it could mean several. */
function takeId(ids: SubscriptionIds, id: bigint, any: boolean): bigint | undefined {
  if (typeof ids === 'bigint') return ids === routeId ? undefined : ids;
  for (const known of [id, 0n]) if (ids.delete(known)) return known;
  const [first, second] = [...ids].filter((known) => known !== routeId);
  if (first === undefined || (second !== undefined && !any)) return undefined;
  ids.delete(first);
  return first;
}

/** Who has one name. */
export class Instance extends Receivers {
  readonly service: Service;
  readonly id: NameId;

  constructor(service: Service, id: NameId) {
    super();
    this.service = service;
    this.id = id;
  }

  snapshot(): RouteSnapshot {
    const name = this.service.components?.join('/') ?? '';
    const id = this.id === nullId ? undefined : formatId(this.id);
    return { name, id, links: this.connections() };
  }

  /** True when its strings are known. */
  get isNamed(): boolean {
    return this.service.isNamed;
  }

  /** All names of the same service, this one included. */
  siblings(): Iterable<Instance> {
    return this.service.instances.values();
  }

  /** The name for the wire; undefined when no subscriber gave its strings, which official nodes need. */
  get name(): WireName | undefined {
    const { prefix, components } = this.service;
    return components && WireName.ofParts(prefix, components, this.id);
  }
}

/** All instances of one `org/namespace/service`; as receivers, whoever has any of them. */
class Service extends Receivers {
  readonly prefix: string;
  readonly instances = new Map<NameId, Instance>();
  /** How many instances each connection has. */
  readonly #counts = new Map<ConnectionId, number>();
  /** One text, because three in a list take several times the memory. */
  #spelling: string | undefined;

  constructor(name: RoutedName) {
    super();
    this.prefix = name.prefix;
    this.spell(name);
  }

  get isNamed(): boolean {
    return this.#spelling !== undefined;
  }

  /** The strings as the first subscriber gave them that gave any. */
  get components(): NameComponents | undefined {
    const [org, namespace, service] = this.#spelling?.split(separator) ?? [];
    if (org === undefined || namespace === undefined || service === undefined) return undefined;
    return [org, namespace, service];
  }

  /** Learns the strings where they are not known yet. */
  spell(name: RoutedName): void {
    this.#spelling ??= name.components?.join(separator);
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

/** No name has it, and one that has it all the same is told wrongly to people and replicas, not routed wrongly. */
const separator = '\0';
