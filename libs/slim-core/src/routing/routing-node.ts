import type { Cancel, Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { maxFrameBytes, type Link } from '../link/link.js';
import { answerNegotiation, negotiationTimeoutMs, type Negotiated } from '../link/negotiation.js';
import { frame } from '../wire/frame.js';
import { fanout, subscriptionAck, type Subscription } from '../wire/header.js';
import { connectionType } from '../wire/link-message.js';
import {
  forwardPublish,
  isPublish,
  patchPublish,
  viewPublish,
  type PublishView,
} from '../wire/publish-view.js';
import { SubscriptionTable, type Category, type ConnectionId } from './subscription-table.js';

/** What a node needs and how it behaves. */
export interface RoutingNodeOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Announced to the other end of every link. */
  readonly nodeId: string;
  /** Refuse links that cannot authenticate their headers; true unless said otherwise. */
  readonly requireHeaderMac?: boolean;
  /** Sees every frame that leaves, as it leaves. For demos and diagnosis. */
  readonly onForward?: (frame: Uint8Array) => void;
}

/** How many of what a node has and has seen, since it started. */
export interface NodeCounters {
  readonly connections: number;
  readonly subscriptions: number;
  readonly received: number;
  readonly forwarded: number;
  /** Frames that went nowhere, by reason. Senders are not told: the protocol has no delivery errors. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

export type DropReason = 'malformed' | 'header-mac' | 'ttl' | 'no-route' | 'too-large';

type ConnectionState =
  | { readonly kind: 'negotiating'; readonly cancel: Cancel }
  | { readonly kind: 'established'; readonly mac: Negotiated['mac'] };

interface Connection {
  readonly id: ConnectionId;
  readonly link: Link;
  category: Category;
  state: ConnectionState;
  /** Connections whose reading waits until this one has room again. */
  readonly waiting: Set<Connection>;
  /** Connections that this one waits for. */
  readonly waitsFor: Set<Connection>;
}

/**
 * Routes frames between links by name. It negotiates, keeps subscriptions, checks and renews the header
 * MAC at each hop, and forgets everything of a link that went away. Payloads stay opaque to it.
 */
export class RoutingNode {
  readonly #options: RoutingNodeOptions;
  readonly #table = new SubscriptionTable();
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #dropped: Record<DropReason, number> = {
    malformed: 0,
    'header-mac': 0,
    ttl: 0,
    'no-route': 0,
    'too-large': 0,
  };
  #nextId = 1;
  #received = 0;
  #forwarded = 0;
  #closed = false;

  constructor(options: RoutingNodeOptions) {
    this.#options = options;
  }

  get counters(): NodeCounters {
    return {
      connections: this.#connections.size,
      subscriptions: this.#table.size,
      received: this.#received,
      forwarded: this.#forwarded,
      dropped: { ...this.#dropped },
    };
  }

  /** Takes over a link that a listener accepted. The other end has a few seconds to negotiate. */
  accept(link: Link): void {
    const cancel = this.#options.clock.schedule(negotiationTimeoutMs, () => {
      link.destroy(new SlimError('negotiation-failed', 'nothing was negotiated in time'));
    });
    this.#attach(link, 'remote', { kind: 'negotiating', cancel });
  }

  /** Takes over a link to an application in this process, which needs no negotiation and no MAC. */
  acceptLocal(link: Link): void {
    this.#attach(link, 'local', { kind: 'established', mac: undefined });
  }

  /** Ends every link in order. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections.values()].map(({ link }) => link.close()));
  }

  #attach(link: Link, category: Category, state: ConnectionState): void {
    const id = this.#nextId++ as ConnectionId;
    const connection: Connection = {
      ...{ id, link, category, state },
      waiting: new Set(),
      waitsFor: new Set(),
    };
    this.#connections.set(id, connection);
    link.open({
      frame: (bytes) => this.#receive(connection, bytes),
      drained: () => this.#release(connection),
      closed: () => this.#detach(connection),
    });
    if (this.#closed) void link.close();
  }

  #detach(connection: Connection): void {
    if (connection.state.kind === 'negotiating') connection.state.cancel();
    this.#connections.delete(connection.id);
    this.#table.removeConnection(connection.id);
    this.#release(connection);
    for (const other of connection.waitsFor) other.waiting.delete(connection);
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    this.#received += 1;
    try {
      if (connection.state.kind === 'negotiating') this.#negotiate(connection, bytes);
      else if (isPublish(bytes)) this.#publish(connection, bytes);
      else this.#control(connection, bytes);
    } catch (reason) {
      const error = SlimError.from(reason, 'malformed-frame');
      if (error.code === 'negotiation-failed') connection.link.destroy(error);
      else this.#drop('malformed');
    }
  }

  #negotiate(connection: Connection, bytes: Uint8Array): void {
    const { crypto, nodeId, requireHeaderMac = true } = this.#options;
    const answer = answerNegotiation(crypto, bytes, { nodeId, requireHeaderMac });
    if (connection.state.kind === 'negotiating') connection.state.cancel();
    const { mac, connectionType: type } = answer.negotiated;
    connection.category = categoryOf(type);
    // A link between replicas of one deployment carries no tags, although a key is agreed on.
    connection.state = { kind: 'established', mac: type === connectionType.peer ? undefined : mac };
    connection.link.send(answer.reply);
  }

  #control(connection: Connection, bytes: Uint8Array): void {
    const message = frame.decode(bytes);
    const { subscribe, unsubscribe } = message;
    // Fields may come in any order, so a Publish can be found only here.
    if (message.publish) this.#publish(connection, bytes);
    else if (subscribe) this.#subscription(connection, subscribe, true);
    else if (unsubscribe) this.#subscription(connection, unsubscribe, false);
    else if (!message.link && !message.subscriptionAck) this.#drop('malformed');
  }

  #subscription(connection: Connection, { header, id }: Subscription, add: boolean): void {
    const name = header?.destination;
    if (!header?.source?.isRoutable || !name?.isRoutable) return this.#drop('malformed');
    if (macOf(connection)?.verifyOnce(header, header.headerMac) === false) {
      return this.#drop('header-mac');
    }
    if (connection.category !== 'local' && header.ttl <= 1) return this.#drop('ttl');
    let error = '';
    try {
      if (add) this.#table.add(name, connection.id, connection.category, id);
      else this.#table.remove(name, connection.id, id);
    } catch (reason) {
      error = SlimError.from(reason, 'no-route').message;
    }
    if (id === 0n) return;
    const ack = subscriptionAck.make({ id, success: error === '', error });
    const confirmed = connection.link.send(frame.encode(frame.make({ subscriptionAck: ack })));
    if (!confirmed) this.#waitFor(connection, connection);
  }

  #publish(connection: Connection, bytes: Uint8Array): void {
    const view = viewPublish(bytes);
    const { header } = view;
    if (macOf(connection)?.verify(header, header.headerMac) === false) {
      return this.#drop('header-mac');
    }
    const ttl = connection.category === 'local' ? header.ttl : header.ttl - 1;
    if (ttl <= 0) return this.#drop('ttl');
    // receivedFrom and forwardTo steer the tables of one node; from a link they are not obeyed, and
    // they end here like every other value of one hop.
    header.startHop(ttl);
    if (header.fanout === fanout.one) {
      const receiver = this.#table.selectOne(view.destination, connection.id);
      if (receiver === undefined) return this.#drop('no-route');
      return this.#forward(connection, receiver, view, true);
    }
    const receivers = this.#table.selectAll(view.destination, connection.id);
    const last = receivers.pop();
    if (last === undefined) return this.#drop('no-route');
    for (const receiver of receivers) this.#forward(connection, receiver, view, false);
    this.#forward(connection, last, view, true);
  }

  /** The last receiver gets the frame itself, where that will do: it belongs to this node. */
  #forward(from: Connection, to: ConnectionId, view: PublishView, isLast: boolean): void {
    const receiver = this.#connections.get(to);
    if (receiver?.state.kind !== 'established') return this.#drop('no-route');
    const { ttl } = view.header;
    const tag = receiver.state.mac?.tag(view.header);
    const patched = isLast ? patchPublish(view, ttl, tag) : undefined;
    const bytes = patched ?? forwardPublish(view, ttl, tag);
    if (bytes.length > maxFrameBytes) return this.#drop('too-large');
    this.#forwarded += 1;
    this.#options.onForward?.(bytes);
    if (!receiver.link.send(bytes)) this.#waitFor(receiver, from);
  }

  /** The receiver is full: its sender is not read until there is room, so nothing piles up here. */
  #waitFor(receiver: Connection, sender: Connection): void {
    if (receiver.waiting.has(sender) || !this.#connections.has(sender.id)) return;
    receiver.waiting.add(sender);
    sender.waitsFor.add(receiver);
    sender.link.pause();
  }

  #release(receiver: Connection): void {
    for (const sender of receiver.waiting) {
      sender.waitsFor.delete(receiver);
      if (sender.waitsFor.size === 0) sender.link.resume();
    }
    receiver.waiting.clear();
  }

  #drop(reason: DropReason): void {
    this.#dropped[reason] += 1;
  }
}

/** What the link demands its tags of; nothing where no key was agreed on. */
function macOf({ state }: Connection): Negotiated['mac'] {
  return state.kind === 'established' ? state.mac : undefined;
}

function categoryOf(type: Negotiated['connectionType']): Category {
  switch (type) {
    case connectionType.edge:
      return 'edge';
    case connectionType.peer:
      return 'peer';
    case connectionType.remote:
      return 'remote';
  }
}
