import type { Cancel } from '../clock/clock.js';
import type { SlimError } from '../errors/slim-error.js';
import type { HeaderMac } from '../link/header-mac.js';
import type { Link } from '../link/link.js';
import type { Negotiated } from '../link/negotiation.js';
import { LastHeader } from '../wire/publish-view.js';
import type { Category, ConnectionId } from './categories.js';
import type { LinkDirection, LinkSnapshot } from './node-snapshot.js';

export type ConnectionState =
  | { readonly kind: 'negotiating'; readonly cancel: Cancel }
  /** Nothing was negotiated with an application in this process. */
  | { readonly kind: 'established'; readonly negotiated: Negotiated | undefined };

/** How well the other end reads. `shedding`: senders no longer wait for it. */
export type Pressure =
  | { readonly kind: 'free' }
  | { readonly kind: 'full'; readonly waiting: Set<Connection>; readonly cancel: Cancel }
  | { readonly kind: 'shedding'; readonly cancel: Cancel };

const free: Pressure = { kind: 'free' };

/** What a connection begins with. */
export interface ConnectionStart {
  readonly id: ConnectionId;
  readonly link: Link;
  readonly category: Category;
  readonly direction: LinkDirection;
  readonly sinceMs: number;
  readonly state: ConnectionState;
}

/** One link of a node, with what is counted of it. */
export class Connection {
  readonly id: ConnectionId;
  readonly link: Link;
  readonly direction: LinkDirection;
  readonly sinceMs: number;
  category: Category;
  pressure: Pressure = free;
  /** Connections that this one waits for before it reads on. */
  readonly waitsFor = new Set<Connection>();
  /** Of the messages that it brings. */
  readonly lastHeader = new LastHeader();
  /** What its tags are made with; nothing where no key was agreed on, and between replicas. */
  mac: HeaderMac | undefined;
  /** Why it was turned away after it negotiated; it is then about to end. */
  refusal: SlimError | undefined;
  receivedFrames = 0;
  receivedBytes = 0;
  sentFrames = 0;
  sentBytes = 0;
  dropped = 0;
  /** The same as its state says, in a field because it is asked for every frame. */
  isEstablished: boolean;
  #state: ConnectionState;

  constructor({ id, link, category, direction, sinceMs, state }: ConnectionStart) {
    this.id = id;
    this.link = link;
    this.category = category;
    this.direction = direction;
    this.sinceMs = sinceMs;
    this.#state = state;
    this.isEstablished = state.kind === 'established';
    if (state.kind === 'established') this.#learn(state.negotiated);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  establish(negotiated: Negotiated, category: Category): void {
    this.stopWaiting();
    this.category = category;
    this.#state = { kind: 'established', negotiated };
    this.isEstablished = true;
    this.#learn(negotiated);
  }

  /** Leaves no timer of the negotiation behind. */
  stopWaiting(): void {
    if (this.#state.kind === 'negotiating') this.#state.cancel();
  }

  /** Counts and sends. False when the other end does not read fast enough. */
  send(bytes: Uint8Array): boolean {
    this.sentFrames += 1;
    this.sentBytes += bytes.length;
    return this.link.send(bytes);
  }

  received(bytes: Uint8Array): void {
    this.receivedFrames += 1;
    this.receivedBytes += bytes.length;
  }

  snapshot(subscriptions: number): LinkSnapshot {
    const { id, category: kind, direction, sinceMs, dropped } = this;
    const { receivedFrames, receivedBytes, sentFrames, sentBytes } = this;
    const state = this.#state;
    const negotiated = state.kind === 'established' ? state.negotiated : undefined;
    return {
      ...{ id, remote: this.link.remote, linkId: negotiated?.linkId, kind, direction },
      state: state.kind,
      peerNodeId: negotiated?.peerNodeId,
      peerVersion: negotiated?.peerVersion,
      ...{ sinceMs, subscriptions, receivedFrames, receivedBytes, sentFrames, sentBytes, dropped },
      isFull: this.pressure.kind !== 'free',
    };
  }

  /** A link between replicas carries no tags, although a key is agreed on (reference: data plane 3.5). */
  #learn(negotiated: Negotiated | undefined): void {
    this.mac = this.category === 'peer' ? undefined : negotiated?.mac;
  }
}
