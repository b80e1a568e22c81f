import type { Identity } from '../auth/identity.js';
import type { MlsGroup } from '../mls/mls-group.js';
import type { ChannelSetup } from './channel-role.js';
import type { Member, Roster } from './roster.js';
import {
  identityRecord,
  nameRecord,
  setupRecord,
  type ChannelRoleRecord,
  type MemberRecord,
  type ToKeep,
} from './session-record.js';

interface Joined {
  readonly setup: ChannelSetup;
  readonly roster: Roster;
  readonly moderatorIdentity: Identity | undefined;
  readonly group: MlsGroup | undefined;
  readonly lastId: number;
}

/** A channel as it is now; undefined until this side is in it. */
export function channelRecord(
  { setup, roster, moderatorIdentity, group, lastId }: Joined,
  role: ChannelRoleRecord | undefined,
): ToKeep | undefined {
  if (!role || (setup.mls && !group)) return undefined;
  const { channel, control, moderator, sendsData, receivesData } = setup;
  const record = {
    ...setupRecord(setup),
    kind: 'channel',
    channel: nameRecord(channel),
    control: nameRecord(control),
    moderator: nameRecord(moderator),
    moderatorIdentity: moderatorIdentity && identityRecord(moderatorIdentity),
    sendsData,
    receivesData,
    roster: [...roster].map(memberRecord),
    role,
  } as const;
  return { record, group, lastId };
}

function memberRecord(member: Member): MemberRecord {
  const { name, subject, sendsData, receivesData, online, isJoining } = member;
  const joining = isJoining && { isJoining };
  return { name: nameRecord(name), subject, sendsData, receivesData, online, ...joining };
}
