import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { frame } from '../wire/frame.js';
import { fanout, initialTtl, slimHeader, slimVersion, subscription } from '../wire/header.js';
import type { ConnectionId } from './categories.js';
import type { Connection } from './connection.js';
import type { FlowControl } from './flow-control.js';
import { PeerAcks } from './peer-acks.js';
import type { Instance, SubscriptionTable } from './subscription-table.js';

/** Hops of a subscription among replicas of which each is linked with each (reference: data plane 4.5). */
const fullMeshTtl = 2;

/** One subscription that replicas are told of, under an id that is the same at all of them. */
interface Item {
  readonly id: bigint;
  readonly instance: Instance;
  readonly ttl: number;
  /** The replica that told us; undefined for what is subscribed here. */
  readonly from: ConnectionId | undefined;
}

interface Peer {
  readonly connection: Connection;
  /** What it has to be told, by id; whether it comes or goes is looked up when it leaves. */
  readonly outbox: Map<bigint, Item>;
  /** Of what is in the outbox, the ids that it was told of before and that were taken back since. */
  readonly ending: Set<bigint>;
}

/** What the synchronisation works with. */
export interface PeerSyncOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly table: SubscriptionTable;
  readonly flow: FlowControl;
  readonly peerAckMs: number;
  /** Each replica is linked with each, so that what one says need not be passed on to others. */
  readonly isFullMesh: boolean;
}

/**
 * Tells replicas who is subscribed here and, where not each is linked with each, what other replicas said.
 * A subscription travels under one id and is taken from the replica that brings it first, so that its
 * copies form a tree, whatever the links form; its ttl falls at each hop, so that nothing travels for ever.
 */
export class PeerSync {
  readonly #options: PeerSyncOptions;
  readonly #acks: PeerAcks;
  readonly #peers = new Map<ConnectionId, Peer>();
  readonly #items = new Map<bigint, Item>();
  readonly #own = new Map<Instance, Item>();

  constructor(options: PeerSyncOptions) {
    this.#options = options;
    this.#acks = new PeerAcks(options.clock, options.peerAckMs);
  }

  /** How many replicas there are. */
  get size(): number {
    return this.#peers.size;
  }

  /** A replica is there: it is told everything, as fast as it reads. */
  attach(connection: Connection): void {
    if (this.#peers.size === 0) {
      for (const instance of this.#options.table.names()) {
        if (isWanted(instance)) this.#addOwn(instance);
      }
    }
    const peer: Peer = { connection, outbox: new Map(this.#items), ending: new Set() };
    this.#peers.set(connection.id, peer);
    this.#flush(peer);
  }

  /** A replica is gone, and with it what it had said. */
  detach(connection: Connection): void {
    if (!this.#peers.delete(connection.id)) return;
    this.#acks.lost(connection.id);
    for (const item of this.#items.values()) {
      if (item.from === connection.id) this.#withdraw(item);
    }
    if (this.#peers.size > 0) return;
    this.#items.clear();
    this.#own.clear();
  }

  /**
   * A subscription of a name came or went that is not a replica's, or its strings came. `settled` is called,
   * at the latest after a bounded time, once replicas know; it is not when nothing new is to be known, and
   * false comes back.
   */
  changed(instance: Instance, settled: () => void = () => undefined): boolean {
    if (this.#peers.size === 0) return false;
    const announced = this.#own.get(instance);
    const wanted = isWanted(instance);
    if (wanted && !announced) return this.#announce(this.#addOwn(instance), settled);
    if (!wanted && announced) {
      this.#own.delete(instance);
      this.#withdraw(announced);
    }
    return false;
  }

  /** True when that subscription came by another way before; it is then not to be taken again. */
  isKnown(id: bigint, from: Connection): boolean {
    const item = this.#items.get(id);
    return item !== undefined && item.from !== from.id;
  }

  /**
   * A replica said that it has subscribers of that name; `ttl` is what is left. Answers as `changed` does.
   * In a full mesh it is not passed on, although official nodes do (reference: data plane 4.5): the
   * forwarder takes nothing from replica to replica there, so its messages would end here.
   */
  learned(
    id: bigint,
    from: Connection,
    { instance, ttl }: Pick<Item, 'instance' | 'ttl'>,
    settled: () => void,
  ): boolean {
    const relayed = relayId(id, instance);
    // With 1 left it would be dropped where it arrives.
    if (ttl < 2 || this.#items.has(relayed)) return false;
    const item: Item = { id: relayed, instance, ttl, from: from.id };
    this.#items.set(relayed, item);
    return this.#announce(item, settled);
  }

  /** A replica took back what it had said under that id. */
  forgot(id: bigint, from: Connection, instance: Instance): void {
    const item = this.#items.get(relayId(id, instance));
    if (item?.from === from.id) this.#withdraw(item);
  }

  /** A replica lost what we know by another way: it hears of it again. */
  offer(id: bigint, to: Connection): void {
    const item = this.#items.get(id);
    const peer = this.#peers.get(to.id);
    if (!item || !peer) return;
    peer.outbox.set(id, item);
    this.#flush(peer);
  }

  answered(id: bigint, from: Connection): void {
    this.#acks.answered(id, from.id);
  }

  drained(connection: Connection): void {
    const peer = this.#peers.get(connection.id);
    if (peer) this.#flush(peer);
  }

  /** Ids are ours, because clients are free to use one twice, and 0 for several names. */
  #addOwn(instance: Instance): Item {
    const { crypto, isFullMesh } = this.#options;
    const ttl = isFullMesh ? fullMeshTtl : initialTtl;
    const item: Item = { id: randomId(crypto), instance, ttl, from: undefined };
    this.#items.set(item.id, item);
    this.#own.set(instance, item);
    return item;
  }

  #announce(item: Item, settled: () => void): boolean {
    const peers = this.#audience(item);
    this.#tell(item, peers);
    if (peers.length === 0 || !item.instance.isNamed) return false;
    const told = peers.map(({ connection }) => connection.id);
    this.#acks.wait(item.id, told, settled);
    return true;
  }

  #withdraw(item: Item): void {
    this.#items.delete(item.id);
    this.#tell(
      item,
      this.#audience(item).filter((peer) => !this.#takesBack(item, peer)),
    );
  }

  /** One that was not yet told that it came is told nothing at all, so that no queue grows by changes. */
  #takesBack({ id }: Item, { connection, outbox, ending }: Peer): boolean {
    if (!outbox.has(id) || ending.has(id)) {
      ending.add(id);
      return false;
    }
    outbox.delete(id);
    this.#acks.excuse(id, connection.id);
    return true;
  }

  /** What a replica said is not for itself, and in a full mesh for nobody. */
  #audience(item: Item): Peer[] {
    return [...this.#peers.values()].filter(({ connection }) => this.#isFor(item, connection));
  }

  #isFor({ from }: Item, { id }: Connection): boolean {
    return from === undefined || (from !== id && !this.#options.isFullMesh);
  }

  #tell(item: Item, peers: readonly Peer[]): void {
    for (const { outbox } of peers) {
      // Behind what is there already, so that what comes last for a name is what holds.
      outbox.delete(item.id);
      outbox.set(item.id, item);
    }
    for (const peer of peers) this.#flush(peer);
  }

  /** Never shed, as data is: replicas would not agree any more. It waits here for room instead. */
  #flush({ connection, outbox, ending }: Peer): void {
    for (const [id, item] of outbox) {
      if (connection.pressure.kind !== 'free') return;
      outbox.delete(id);
      ending.delete(id);
      if (!this.#isFor(item, connection)) continue;
      const bytes = this.#encode(item, this.#items.has(id));
      if (bytes && !connection.send(bytes)) this.#options.flow.fullOf(connection);
    }
  }

  /** As official nodes write it (reference: data plane 4.5); they cannot take a name without strings. */
  #encode({ id, instance, ttl }: Item, isThere: boolean): Uint8Array | undefined {
    const { name } = instance;
    if (!name) return undefined;
    const header = slimHeader.make({
      ...{ source: name, destination: name, ttl },
      fanout: fanout.one,
      version: slimVersion,
    });
    const body = subscription.make({ header, id });
    return frame.encode(frame.make(isThere ? { subscribe: body } : { unsubscribe: body }));
  }
}

/** Somebody here wants it, and its strings are known: before they are, official nodes could not take it. */
const isWanted = (instance: Instance): boolean => instance.isNamed && instance.hasBeside('peer');

function randomId(crypto: Crypto): bigint {
  const [id = 0n] = new BigUint64Array(crypto.random(8).slice().buffer);
  return id === 0n ? 1n : id;
}

/**
 * An official node passes on the 0 that its clients use after they reconnected. Under one id made of the
 * name, the same at all nodes, it is seen when it comes round.
 */
function relayId(id: bigint, { service, id: instance }: Instance): bigint {
  if (id !== 0n) return id;
  let made = instance ^ (instance >> 64n);
  for (let at = 0; at < service.prefix.length; at += 1) {
    made = BigInt.asUintN(64, (made ^ BigInt(service.prefix.charCodeAt(at))) * 0x1_0000_0000_01b3n);
  }
  return made === 0n ? 1n : made;
}
