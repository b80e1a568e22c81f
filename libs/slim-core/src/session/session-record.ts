import type { Identity } from '../auth/identity.js';
import type { MlsGroup } from '../mls/mls-group.js';
import type { WireName } from '../wire/wire-name.js';
import type { SessionPolicy } from './session-policy.js';
import type { Metadata } from './session.js';

/** What a session was made with, as it is kept. Names are their text. */
export interface SetupRecord {
  readonly id: number;
  readonly source: string;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly intervalMs: number;
  readonly maxRetries: number;
  readonly metadata: Metadata;
}

/** Whose token was verified, as it is kept. */
export interface IdentityRecord extends Omit<Identity, 'publicKey'> {
  readonly publicKey: readonly number[];
}

/** Which side of a session of two this one is. */
export type RoleRecord =
  { readonly kind: 'initiator' } | { readonly kind: 'responder'; readonly welcomeId: number };

/** A session of two that is established. */
export interface PointToPointRecord extends SetupRecord {
  readonly kind: 'session';
  readonly peer: string;
  readonly peerIdentity: IdentityRecord;
  readonly role: RoleRecord;
}

/** One member of a channel, as it is kept. */
export interface MemberRecord {
  readonly name: string;
  readonly subject: string | undefined;
  readonly sendsData: boolean;
  readonly receivesData: boolean;
  readonly online: boolean;
  /** It was invited, and has not said yet that it is in. */
  readonly isJoining?: boolean;
}

/** The side that created a channel. */
export interface ModeratorRecord {
  readonly kind: 'moderator';
  readonly commitId: number;
  readonly discoveryMs: number;
  /** When its credential in the keys was made. */
  readonly refreshedAtMs: number;
}

/** Which side of a channel this one is. */
export type ChannelRoleRecord =
  | ModeratorRecord
  | { readonly kind: 'member'; readonly commitId: number; readonly welcomeId: number };

/** A channel that this side is in. */
export interface ChannelRecord extends SetupRecord {
  readonly kind: 'channel';
  readonly channel: string;
  readonly control: string;
  readonly moderator: string;
  readonly moderatorIdentity: IdentityRecord | undefined;
  readonly sendsData: boolean;
  readonly receivesData: boolean;
  readonly roster: readonly MemberRecord[];
  readonly role: ChannelRoleRecord;
}

/** What of a session outlives the process. */
export interface ToKeep {
  readonly record: PointToPointRecord | ChannelRecord;
  readonly group: MlsGroup | undefined;
  /** The number of its last message in order; it is kept by itself with each one. */
  readonly lastId: number;
}

/** What a session is made with, as far as it is kept. */
interface Setup {
  readonly id: number;
  readonly source: WireName;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly policy: SessionPolicy;
  readonly metadata: Metadata;
}

export function setupRecord({ id, source, mls, reliable, policy, metadata }: Setup): SetupRecord {
  const { intervalMs, maxRetries } = policy;
  return { id, source: nameRecord(source), mls, reliable, intervalMs, maxRetries, metadata };
}

export const nameRecord = (name: WireName): string => name.text;

export const identityRecord = (identity: Identity): IdentityRecord => ({
  ...identity,
  publicKey: [...identity.publicKey],
});

export const toIdentity = (record: IdentityRecord): Identity => ({
  ...record,
  publicKey: Uint8Array.from(record.publicKey),
});
