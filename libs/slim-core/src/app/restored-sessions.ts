import { SlimError } from '../errors/slim-error.js';
import { loadMls } from '../mls/load-mls.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { SlimName } from '../names/slim-name.js';
import type { BaseSession, SessionOwner, SessionSetup } from '../session/base-session.js';
import { ChannelMember } from '../session/channel-member.js';
import { ChannelMemory } from '../session/channel-memory.js';
import { ChannelSession } from '../session/channel-session.js';
import { Initiator } from '../session/initiator.js';
import { Moderator } from '../session/moderator.js';
import { PointToPointSession } from '../session/point-to-point.js';
import { Responder } from '../session/responder.js';
import type { SessionContext } from '../session/session-context.js';
import {
  toIdentity,
  type ChannelRecord,
  type PointToPointRecord,
  type SetupRecord,
} from '../session/session-record.js';
import type { StateRecord } from '../store/state-store.js';
import { participantState } from '../wire/command-payload.js';
import { WireName } from '../wire/wire-name.js';
import { recordKinds } from './session-keeper.js';
import { withTimers } from './session-setup.js';

/** A session of before the restart, and the number of its last message. */
export interface RestoredSession {
  readonly session: PointToPointSession | ChannelSession;
  readonly lastId: number;
}

interface Kept {
  readonly context: SessionContext;
  readonly owner: SessionOwner;
  readonly group: MlsGroup | undefined;
  readonly lastId: number;
}

/** The sessions that were kept, as they were. Nothing is sent. @throws SlimError `store-failed` */
export async function restoreSessions(
  records: readonly StateRecord[],
  context: SessionContext,
  owner: SessionOwner,
): Promise<readonly RestoredSession[]> {
  const byPlace = new Map(records.map((record) => [`${record.kind} ${record.key}`, record.value]));
  const kept = records.filter(({ kind }) => kind === recordKinds.session);
  const restored: RestoredSession[] = [];
  for (const { key, value } of kept) {
    // Sealed by this schema, so it is what was written.
    const record = JSON.parse(new TextDecoder().decode(value)) as
      PointToPointRecord | ChannelRecord;
    const epoch = byPlace.get(`${recordKinds.epoch} ${key}`);
    const tree = byPlace.get(`${recordKinds.tree} ${key}`);
    if (record.mls && !epoch) {
      throw new SlimError('store-failed', `the store has no keys of session ${record.id}`);
    }
    const group = epoch && (await loadMls()).MlsGroup.restore(context.mls, { epoch, tree });
    const lastId = readNumber(byPlace.get(`${recordKinds.number} ${key}`));
    const { kind } = record;
    const all = { context, owner, group, lastId };
    const session = kind === 'session' ? pointToPoint(record, all) : channel(record, all);
    restored.push({ session, lastId });
  }
  return restored;
}

/** Has what it needs of the network to be there again. */
export async function rejoinNetwork(
  session: BaseSession,
  own: WireName,
  subscribe: (name: WireName) => Promise<void>,
): Promise<void> {
  const { source } = session.setup;
  if (!source.equals(own)) await subscribe(source);
  if (!(session instanceof ChannelSession)) return;
  const { context, setup } = session;
  await context.subscribe(setup.channel);
  await context.subscribe(setup.control);
  if (session.isModerator && session.role instanceof Moderator) session.role.forgetJoining();
  // Nobody waits for it: who is away now hears of this side by its heartbeats.
  session.comeBackAgain().catch((reason: unknown) => session.report(reason));
}

function pointToPoint(record: PointToPointRecord, kept: Kept): PointToPointSession {
  const { context, owner, group, lastId } = kept;
  const session = new PointToPointSession(context, toSetup(record, context), owner);
  const name = toName(record.peer);
  const identity = toIdentity(record.peerIdentity);
  const { role } = record;
  if (role.kind === 'initiator') new Initiator(session).resume(name);
  else new Responder(session, { moderator: name, identity, welcomeId: role.welcomeId });
  session.activate({ name, identity, group }, lastId);
  return session;
}

function channel(record: ChannelRecord, { context, owner, group, lastId }: Kept): ChannelSession {
  const memory = new ChannelMemory();
  memory.lastMessageId = lastId;
  const { sendsData, receivesData, role } = record;
  const moderator = toName(record.moderator);
  const session = new ChannelSession(
    context,
    {
      ...toSetup(record, context),
      channel: toName(record.channel),
      control: toName(record.control),
      moderator,
      sendsData,
      receivesData,
      memory,
    },
    owner,
  );
  session.group = group;
  const identity = record.moderatorIdentity && toIdentity(record.moderatorIdentity);
  if (role.kind === 'moderator') new Moderator(session, role.discoveryMs, role);
  else if (identity) new ChannelMember(session, { moderator, identity, ...role });
  for (const { name, online, subject, isJoining = false, ...settings } of record.roster) {
    const status = online ? participantState.online : participantState.offline;
    const participant = { name: toName(name), settings, status };
    // Not admitted: nobody is new, and who was in may have sent in any epoch.
    const member = session.roster.set(participant, { subject, epoch: 0n });
    member.isJoining = isJoining;
  }
  return session;
}

function toSetup(record: SetupRecord, context: SessionContext): SessionSetup {
  const { id, source, mls, reliable, metadata, intervalMs, maxRetries } = record;
  const policy = withTimers(context.policy, intervalMs, maxRetries);
  return { id, source: toName(source), mls, reliable, metadata, policy, isResumed: true };
}

const toName = (text: string): WireName => WireName.of(SlimName.parse(text));

function readNumber(value: Uint8Array | undefined): number {
  return value ? new DataView(value.buffer, value.byteOffset).getUint32(0) : 0;
}
