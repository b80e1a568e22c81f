import type { Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import type { BackoffPolicy } from '../link/backoff.js';
import type { LinkDialler } from '../link/link.js';
import type { OutgoingKind } from './categories.js';
import type { NodeLimits } from './node-limits.js';

/** Another node, and how to reach it. */
export interface PeerNode {
  readonly nodeId: string;
  readonly dialler: LinkDialler;
}

/** Replicas of one deployment, each linked with each. */
export interface NodePeers {
  /** Links of replicas of another deployment are refused; those of any are taken when it is absent. */
  readonly deploymentName?: string;
  /** The other replicas. Of two, the one with the smaller node id dials; our own entry is passed over. */
  readonly nodes?: readonly PeerNode[];
}

/** What a node needs and how it behaves. */
export interface RoutingNodeOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Announced to the other end of every link. */
  readonly nodeId: string;
  /** Refuse links that cannot authenticate their headers; true unless said otherwise. */
  readonly requireHeaderMac?: boolean;
  /** Makes the node part of a full mesh. Without it, what one replica says is passed on to the others. */
  readonly peers?: NodePeers;
  readonly limits?: Partial<NodeLimits>;
  /** Sees every frame that leaves, as it leaves. For demos and diagnosis. */
  readonly onForward?: (frame: Uint8Array) => void;
}

/** How a node reaches another one. */
export interface ConnectOptions {
  /**
   * `peer`: both tell each other their subscriptions. `edge` and `remote`: nothing is told, as with official
   * nodes; what is to go there is said by `routes`.
   */
  readonly kind: OutgoingKind;
  /** What both ends call the link; random unless given. It stays the same when the link is dialled again. */
  readonly linkId?: string;
  readonly backoff?: BackoffPolicy;
  /** Names, `org/namespace/service` or with an id, whose messages go to that node. Needs `loadNameHash()`. */
  readonly routes?: readonly string[];
}

/** How a node ends. */
export interface CloseOptions {
  /** What is not ended in order by then is cut. 10,000 by default. */
  readonly deadlineMs?: number;
}
