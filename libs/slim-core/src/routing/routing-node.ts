import { SlimError } from '../errors/slim-error.js';
import type { Link, LinkDialler, LinkEvents } from '../link/link.js';
import { answerNegotiation, type Negotiated } from '../link/negotiation.js';
import { connectionType } from '../wire/link-message.js';
import type { WireName } from '../wire/wire-name.js';
import { refusalOfPeer } from './admission.js';
import type { Category, ConnectionId } from './categories.js';
import { Connection, type ConnectionState } from './connection.js';
import { FrameRouter } from './frame-router.js';
import type { NodeEvents } from './node-events.js';
import { nodeLimits, type NodeLimits } from './node-limits.js';
import type { CloseOptions, ConnectOptions, RoutingNodeOptions } from './node-options.js';
import type { NodeCounters, NodeSnapshot, NodeState, RouteSnapshot } from './node-snapshot.js';
import type { OutgoingLink } from './outgoing-link.js';
import { OutgoingLinks } from './outgoing-links.js';
import { Tally } from './tally.js';

const defaultDeadlineMs = 10_000;

/**
 * Routes frames between links by name. It negotiates, keeps subscriptions, checks and renews the header
 * MAC at each hop, and forgets everything of a link that went away. Payloads stay opaque to it.
 */
export class RoutingNode {
  readonly #options: RoutingNodeOptions;
  readonly #limits: NodeLimits;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #tally = new Tally();
  readonly #router: FrameRouter;
  readonly #outgoing: OutgoingLinks;
  readonly #startedAtMs: number;
  #nextId = 1;
  #state: NodeState = 'running';
  #closing: Promise<void> | undefined;

  /** @throws SlimError `invalid-config` when a limit is no number */
  constructor(options: RoutingNodeOptions) {
    const { clock, crypto, peers, onForward } = options;
    this.#options = options;
    this.#limits = nodeLimits(options.limits);
    this.#startedAtMs = clock.now();
    const [connections, tally, limits] = [this.#connections, this.#tally, this.#limits];
    const isFullMesh = peers !== undefined;
    const parts = { clock, crypto, limits, isFullMesh, connections, tally, onForward };
    this.#router = new FrameRouter(parts);
    this.#outgoing = new OutgoingLinks(options, {
      take: (link, negotiated, routes) => this.#take(link, negotiated, routes),
      failed: (remote, reason) => tally.refuse(remote, reason),
    });
    this.#outgoing.dialPeers(peers?.nodes ?? []);
  }

  get counters(): NodeCounters {
    const { received, receivedBytes, forwarded, forwardedBytes, refused, dropped } = this.#tally;
    return {
      connections: this.#connections.size,
      subscriptions: this.#router.table.size,
      ...{ received, receivedBytes, forwarded, forwardedBytes, refused },
      dropped: { ...dropped },
    };
  }

  /** The node and its links as they are now. */
  snapshot(): NodeSnapshot {
    const links = [...this.#connections.values()].map((one) => this.#describe(one));
    const { counters } = this;
    const [state, startedAtMs] = [this.#state, this.#startedAtMs];
    return { nodeId: this.#options.nodeId, state, startedAtMs, counters, links };
  }

  /** Names that are subscribed, at most so many, in no order. */
  routes(limit: number): RouteSnapshot[] {
    const routes: RouteSnapshot[] = [];
    for (const instance of this.#router.table.names()) {
      if (routes.length >= limit) break;
      routes.push(instance.snapshot());
    }
    return routes;
  }

  /** Calls the listener at each such event; returns how to stop listening. */
  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): () => void {
    return this.#tally.events.on(name, listener);
  }

  /** Takes over a link that a listener accepted. The other end has a few seconds to negotiate. */
  accept(link: Link): void {
    const { maxLinks, negotiationTimeoutMs } = this.#limits;
    if (this.#state !== 'running') return this.#turnAway(link, 'the node is closing');
    if (this.#connections.size >= maxLinks) {
      return this.#turnAway(link, `the node has ${maxLinks} links, which is its limit`);
    }
    const cancel = this.#options.clock.schedule(negotiationTimeoutMs, () => {
      link.destroy(new SlimError('negotiation-failed', 'nothing was negotiated in time'));
    });
    const connection = this.#add(link, 'remote', 'incoming', { kind: 'negotiating', cancel });
    link.open(this.#eventsOf(connection));
  }

  /** Takes over a link to an application in this process, which needs no negotiation and no MAC. */
  acceptLocal(link: Link): void {
    if (this.#state !== 'running') return void link.close();
    const state = { kind: 'established', negotiated: undefined } as const;
    const connection = this.#add(link, 'local', 'incoming', state);
    link.open(this.#eventsOf(connection));
    this.#established(connection);
  }

  /**
   * Keeps up a link to another node.
   * @throws SlimError `invalid-name` for a route, `invalid-config` for an empty link id or routes over a
   * limit, `link-closed` when the node is closing
   */
  connect(dialler: LinkDialler, options: ConnectOptions): OutgoingLink {
    if (this.#state !== 'running') throw new SlimError('link-closed', 'the node is closing');
    return this.#outgoing.open(dialler, options);
  }

  /** A listener turned a connection away before there was a link. For counters and those who watch. */
  turnedAway(remote: string, reason: SlimError): void {
    this.#tally.refuse(remote, reason);
  }

  /** Takes nothing new, lets out what is queued, and ends every link in order. May be called twice. */
  close({ deadlineMs = defaultDeadlineMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#drain(deadlineMs);
    return this.#closing;
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#state = 'draining';
    const connections = [...this.#connections.values()];
    const cancel = this.#options.clock.schedule(deadlineMs, () => {
      const reason = new SlimError('link-closed', `not drained within ${deadlineMs} ms`);
      for (const { link } of this.#connections.values()) link.destroy(reason);
    });
    await Promise.all([this.#outgoing.close(), ...connections.map(({ link }) => link.close())]);
    cancel();
    this.#state = 'closed';
  }

  #turnAway(link: Link, what: string): void {
    const reason = new SlimError('refused', what);
    this.#tally.refuse(link.remote, reason);
    if (this.#state === 'running') link.destroy(reason);
    else void link.close();
  }

  #add(
    link: Link,
    category: Category,
    direction: Connection['direction'],
    state: ConnectionState,
  ): Connection {
    const id = this.#nextId++ as ConnectionId;
    const sinceMs = this.#options.clock.now();
    const connection = new Connection({ id, link, category, direction, sinceMs, state });
    this.#connections.set(id, connection);
    return connection;
  }

  /** An outgoing link has negotiated. */
  #take(link: Link, negotiated: Negotiated, routes: readonly WireName[]): LinkEvents {
    const refusal = refusalOfPeer(this.#identity, negotiated);
    if (refusal) throw refusal;
    const category = categoryOf(negotiated.connectionType);
    const connection = this.#add(link, category, 'outgoing', { kind: 'established', negotiated });
    try {
      this.#established(connection, routes);
    } catch (reason) {
      // Whoever dialled ends the link, but nobody would tell us of that any more.
      this.#forget(connection);
      throw reason;
    }
    return this.#eventsOf(connection);
  }

  #eventsOf(connection: Connection): LinkEvents {
    return {
      frame: (bytes) => this.#receive(connection, bytes),
      drained: () => this.#router.drained(connection),
      closed: (reason) => this.#detach(connection, reason),
    };
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    this.#tally.received += 1;
    this.#tally.receivedBytes += bytes.length;
    connection.received(bytes);
    try {
      if (connection.isEstablished) this.#router.receive(connection, bytes);
      else this.#negotiate(connection, bytes);
    } catch (reason) {
      const error = SlimError.from(reason, 'malformed-frame');
      if (error.code === 'negotiation-failed') connection.link.destroy(error);
      else this.#tally.drop('malformed', connection);
    }
  }

  #negotiate(connection: Connection, bytes: Uint8Array): void {
    if (connection.refusal) return;
    const { crypto, requireHeaderMac = true } = this.#options;
    const { nodeId, deploymentName = '' } = this.#identity;
    const policy = { nodeId, deploymentName, requireHeaderMac };
    const { reply, negotiated } = answerNegotiation(crypto, bytes, policy);
    connection.send(reply);
    connection.refusal = refusalOfPeer(this.#identity, negotiated);
    if (connection.refusal) return void connection.link.close(connection.refusal);
    connection.establish(negotiated, categoryOf(negotiated.connectionType));
    this.#established(connection);
  }

  #established(connection: Connection, routes: readonly WireName[] = []): void {
    this.#router.attach(connection, routes);
    if (!this.#tally.events.has('link')) return;
    this.#tally.events.emit('link', { kind: 'established', link: this.#describe(connection) });
  }

  #detach(connection: Connection, reason: SlimError | undefined): void {
    const link = this.#describe(connection);
    connection.stopWaiting();
    this.#forget(connection);
    if (connection.isEstablished) {
      return this.#tally.events.emit('link', { kind: 'closed', link, reason });
    }
    const unfinished = new SlimError('negotiation-failed', 'the link ended before it negotiated');
    this.#tally.refuse(link.remote, connection.refusal ?? reason ?? unfinished);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#router.detach(connection);
  }

  #describe(connection: Connection): ReturnType<Connection['snapshot']> {
    return connection.snapshot(this.#router.table.countOf(connection.id));
  }

  get #identity(): { readonly nodeId: string; readonly deploymentName: string | undefined } {
    const { nodeId, peers } = this.#options;
    return { nodeId, deploymentName: peers?.deploymentName };
  }
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
