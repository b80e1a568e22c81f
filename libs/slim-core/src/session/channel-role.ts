import type { Identity } from '../auth/identity.js';
import type { SlimName } from '../names/slim-name.js';
import type { WireName } from '../wire/wire-name.js';
import type { SessionSetup } from './base-session.js';
import type { ChannelMemory } from './channel-memory.js';
import type { InvitationResult } from './channel.js';
import type { Incoming } from './incoming.js';
import type { ChannelRoleRecord } from './session-record.js';

/** What a channel is made with. */
export interface ChannelSetup extends SessionSetup {
  /** Where messages go, and where control messages go: the same name with two ids. */
  readonly channel: WireName;
  readonly control: WireName;
  readonly moderator: WireName;
  readonly sendsData: boolean;
  readonly receivesData: boolean;
  /** From earlier memberships of this side in the same channel. */
  readonly memory: ChannelMemory;
}

/** What differs between the moderator and a participant. */
export interface ChannelRole {
  /** Handles a control message of a verified sender. */
  control(incoming: Incoming, identity: Identity): void | Promise<void>;
  /** Somebody who is no member, any more or yet, shows that it believes to be one. */
  stranger(incoming: Incoming): void;
  /** A member, this side's moderator included, is in a later epoch. */
  fellBehind(): Promise<void>;
  leave(): Promise<void>;
  invite(names: readonly WireName[], signal?: AbortSignal): Promise<readonly InvitationResult[]>;
  remove(name: SlimName): Promise<void>;
  stop(): void;
  /** What of it outlives the process. */
  toKeep(): ChannelRoleRecord | undefined;
}
