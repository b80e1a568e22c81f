import { SlimError } from '../errors/slim-error.js';
import { negotiationTimeoutMs } from '../link/negotiation.js';

/** What a node bears, and for how long. Times in milliseconds. */
export interface NodeLimits {
  /** Links at a time; one more is refused. */
  readonly maxLinks: number;
  /** Subscriptions of one link, each id of a name counted; one more is refused with a negative answer. */
  readonly maxSubscriptionsPerLink: number;
  /** How long the other end of a link has for its first frame. */
  readonly negotiationTimeoutMs: number;
  /** How long a receiver that is full makes its senders wait. Then frames for it are shed until it drains. */
  readonly stallMs: number;
  /** How long a receiver may stay full before its link is ended. */
  readonly deadMs: number;
  /** How long a subscriber waits until all replicas know its name; see `docs/scale.md`. */
  readonly peerAckMs: number;
}

export const defaultNodeLimits: NodeLimits = {
  maxLinks: 16_384,
  maxSubscriptionsPerLink: 200_000,
  negotiationTimeoutMs,
  stallMs: 250,
  deadMs: 30_000,
  peerAckMs: 500,
};

/** Of a name that is kept, such as one that is subscribed; messages may go to longer ones. */
export const maxNameBytes = 1_024;

/** The limits with defaults for those not given. @throws SlimError `invalid-config` names the limit */
export function nodeLimits(given: Partial<NodeLimits> = {}): NodeLimits {
  const limits = { ...defaultNodeLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value >= 0 && !Number.isNaN(value)) continue;
    throw new SlimError(
      'invalid-config',
      `limit ${name}: expected a number from 0 on, got ${value}`,
    );
  }
  return limits;
}
