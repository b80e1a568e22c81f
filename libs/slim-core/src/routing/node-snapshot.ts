import type { Category } from './categories.js';

/** Why a frame went nowhere. `overload`: its receiver did not read fast enough; `limit`: a limit was reached. */
export type DropReason =
  | 'malformed'
  | 'header-mac'
  | 'ttl'
  | 'no-route'
  | 'too-large'
  | 'duplicate'
  | 'overload'
  | 'limit';

/** How many of what a node has and has seen, since it started. */
export interface NodeCounters {
  readonly connections: number;
  readonly subscriptions: number;
  readonly received: number;
  readonly receivedBytes: number;
  readonly forwarded: number;
  readonly forwardedBytes: number;
  /** Links that were not taken (too many, no negotiation, not wanted here), and outgoing ones not had. */
  readonly refused: number;
  /** Frames that went nowhere, by reason. Senders are not told: the protocol has no delivery errors. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

/** `draining`: it takes nothing new and lets out what is queued. */
export type NodeState = 'running' | 'draining' | 'closed';
export type LinkDirection = 'incoming' | 'outgoing';

/** One link as it is now. Frames count everything on it, acknowledgements and negotiation too. */
export interface LinkSnapshot {
  /** Number of the link in this node; never used twice. */
  readonly id: number;
  /** Where the other end is, for people. */
  readonly remote: string;
  /** What both ends call the link; undefined before negotiation, and inside one process. */
  readonly linkId: string | undefined;
  readonly kind: Category;
  readonly direction: LinkDirection;
  readonly state: 'negotiating' | 'established';
  /** What the other end calls itself: text of a stranger. */
  readonly peerNodeId: string | undefined;
  readonly peerVersion: string | undefined;
  /** When it was opened, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  readonly subscriptions: number;
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  readonly sentFrames: number;
  readonly sentBytes: number;
  /** Frames from it that went nowhere, and frames for it that were shed. */
  readonly dropped: number;
  /** The other end does not read fast enough. */
  readonly isFull: boolean;
}

/** One name that somebody subscribed. */
export interface RouteSnapshot {
  /** `org/namespace/service` as its first subscriber spelled it, empty when it had no strings. */
  readonly name: string;
  /** The instance, as text; undefined for any. */
  readonly id: string | undefined;
  /** The links that have it, by number. */
  readonly links: readonly number[];
}

/** A node as it is now. */
export interface NodeSnapshot {
  readonly nodeId: string;
  readonly state: NodeState;
  readonly startedAtMs: number;
  readonly counters: NodeCounters;
  readonly links: readonly LinkSnapshot[];
}
