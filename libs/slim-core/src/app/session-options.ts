import type { Identity } from '../auth/identity.js';
import type { SlimName } from '../names/slim-name.js';
import type { Metadata } from '../session/session.js';

/** How to look for whoever answers to a name. */
export interface DiscoverOptions {
  /** How long to look; 2,000 ms unless given. */
  readonly discoveryMs?: number;
  readonly signal?: AbortSignal;
}

/** How a session or a channel is opened. */
export interface OpenSessionOptions extends DiscoverOptions {
  /** End-to-end encryption; on unless turned off. */
  readonly mls?: boolean;
  /** Acknowledged, repeated, ordered; on unless turned off. */
  readonly reliable?: boolean;
  /** Between transmissions, and how many after the first; all sides follow. */
  readonly intervalMs?: number;
  readonly maxRetries?: number;
  /** Shown to the other side. Not encrypted. */
  readonly metadata?: Metadata;
}

/** What somebody is asked to join. */
export interface Invitation {
  /** The channel; undefined for a session of two. */
  readonly channel: SlimName | undefined;
  /** Who asks, and what its verified token says. */
  readonly from: SlimName;
  readonly identity: Identity;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly metadata: Metadata;
}

/** Decides whether to join. The side that asked is told of a refusal. */
export type InvitationPolicy = (invitation: Invitation) => boolean | Promise<boolean>;

/** Which way messages flow for an application in its channels. */
export type Direction = 'both' | 'send' | 'receive' | 'none';
