import { SlimError } from '../errors/slim-error.js';
import { loadMls } from '../mls/load-mls.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { SlimName } from '../names/slim-name.js';
import type { BaseSession, SessionOwner, SessionSetup } from '../session/base-session.js';
import { ChannelMember } from '../session/channel-member.js';
import { ChannelMemory } from '../session/channel-memory.js';
import { ChannelSession } from '../session/channel-session.js';
import { subscribeChannel } from '../session/channel-subscriptions.js';
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

/** A session of before the restart. */
export type RestoredSession = PointToPointSession | ChannelSession;

interface Kept {
  readonly context: SessionContext;
  readonly owner: SessionOwner;
  readonly group: MlsGroup | undefined;
  readonly lastId: number;
}

/**
 * The sessions that were kept, as they were, the newest of those it moderates first: all or none. Nothing is sent.
 * @throws SlimError `store-failed`
 */
export async function restoreSessions(
  records: readonly StateRecord[],
  context: SessionContext,
  owner: SessionOwner,
): Promise<readonly RestoredSession[]> {
  const byPlace = new Map(records.map((record) => [`${record.kind} ${record.key}`, record.value]));
  const kept = records.filter(({ kind }) => kind === recordKinds.session).map(readRecord);
  const restored: RestoredSession[] = [];
  for (const record of kept.toSorted((a, b) => changedAtMs(b) - changedAtMs(a))) {
    try {
      restored.push(await restoreSession(record, byPlace, { context, owner }));
    } catch (reason) {
      const { message } = SlimError.from(reason, 'store-failed');
      const what = `session ${record.id} cannot be restored: ${message}`;
      const failure = new SlimError('store-failed', what, { cause: reason });
      for (const session of restored) session.finish(failure);
      throw failure;
    }
  }
  return restored;
}

/** Sealed by this schema, so it is what was written. */
function readRecord({ value }: StateRecord): PointToPointRecord | ChannelRecord {
  return JSON.parse(new TextDecoder().decode(value)) as PointToPointRecord | ChannelRecord;
}

/** When a channel was created or its moderator last renewed its keys; 0 for what others moderate. */
function changedAtMs({ role }: PointToPointRecord | ChannelRecord): number {
  return role.kind === 'moderator' ? role.refreshedAtMs : 0;
}

async function restoreSession(
  record: PointToPointRecord | ChannelRecord,
  byPlace: ReadonlyMap<string, Uint8Array>,
  { context, owner }: Pick<Kept, 'context' | 'owner'>,
): Promise<RestoredSession> {
  const { id } = record;
  const epoch = byPlace.get(`${recordKinds.epoch} ${id}`);
  const tree = byPlace.get(`${recordKinds.tree} ${id}`);
  if (record.mls && !epoch) throw new SlimError('store-failed', 'the store has no keys of it');
  const group = epoch && (await loadMls()).MlsGroup.restore(context.mls, { epoch, tree });
  const lastId = readNumber(byPlace.get(`${recordKinds.number} ${id}`));
  const { kind } = record;
  const all = { context, owner, group, lastId };
  return kind === 'session' ? pointToPoint(record, all) : channel(record, all);
}

/** Has what it needs of the network to be there again. */
export async function rejoinNetwork(
  session: BaseSession,
  own: WireName,
  subscribe: (name: WireName) => Promise<void>,
): Promise<void> {
  const { source } = session.setup;
  if (session.endReason) return;
  if (!source.equals(own)) await subscribe(source);
  if (!(session instanceof ChannelSession)) return;
  if (!(await subscribeChannel(session))) return;
  if (session.role instanceof Moderator) session.role.resume();
  // Nobody waits for it: who is away now hears of this side by its heartbeats.
  session.comeBackAgain().catch((reason: unknown) => session.report(reason));
}

function pointToPoint(record: PointToPointRecord, kept: Kept): PointToPointSession {
  const { context, owner, group, lastId } = kept;
  const name = toName(record.peer);
  const identity = toIdentity(record.peerIdentity);
  const session = new PointToPointSession(context, toSetup(record, context), owner);
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
  const identity = record.moderatorIdentity && toIdentity(record.moderatorIdentity);
  const members = record.roster.map((member) => ({ ...member, name: toName(member.name) }));
  // From here on there are timers, so nothing may fail any more.
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
  if (role.kind === 'moderator') new Moderator(session, role.discoveryMs, role);
  else if (identity) new ChannelMember(session, { moderator, identity, ...role });
  for (const { name, online, subject, isJoining = false, ...settings } of members) {
    const status = online ? participantState.online : participantState.offline;
    const participant = { name, settings, status };
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
