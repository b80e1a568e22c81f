import type { Identity } from '../auth/identity.js';
import type { Cancel } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { loadMls } from '../mls/load-mls.js';
import type { MlsGroup, PendingMember } from '../mls/mls-group.js';
import {
  groupUpdateOp,
  participantState,
  type GroupUpdate,
  type MlsPayload,
} from '../wire/command-payload.js';
import { messageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type { InvitationResult } from './channel.js';
import type { ChannelMemory } from './channel-memory.js';
import type { ChannelRole } from './channel-role.js';
import type { ChannelSession } from './channel-session.js';
import { subscribeChannel } from './channel-subscriptions.js';
import { ask, askToLeave, online, unexpected } from './control-exchange.js';
import type { Incoming } from './incoming.js';
import type { Invited } from './responder.js';
import type { ChannelRoleRecord } from './session-record.js';

type State =
  | { readonly kind: 'invited' }
  | {
      readonly kind: 'joining';
      readonly pending: PendingMember | undefined;
      readonly expire: Cancel;
    }
  | { readonly kind: 'joined'; readonly welcomeId: number };

/** Who asks this side in, or did before a restart. */
export interface InvitedMember extends Invited {
  /** The last change of keys that this side followed, before a restart. */
  readonly commitId?: number;
}

/** A member that was invited: it follows the moderator, and asks for new keys when it fell behind. */
export class ChannelMember implements ChannelRole {
  readonly #session: ChannelSession;
  readonly #moderator: WireName;
  readonly #identity: Identity;
  readonly #established: () => void;
  #state: State = { kind: 'invited' };
  #commitId = 0;
  #rejoining: Promise<void> | undefined;
  /** Id of the last answer that brought new keys. */
  #rejoinId: number | undefined;
  #cancelRemoval: Cancel = () => undefined;
  /** Updates that came while new keys were on their way. */
  #held: Incoming[] = [];

  /** `established` is called once, when messages can be read; not if the welcome never comes. */
  constructor(
    session: ChannelSession,
    { moderator, identity, welcomeId, commitId }: InvitedMember,
    established: () => void = () => undefined,
  ) {
    this.#session = session;
    this.#moderator = moderator;
    this.#identity = identity;
    this.#established = established;
    if (welcomeId !== undefined) this.#state = { kind: 'joined', welcomeId };
    this.#commitId = commitId ?? 0;
    session.moderatorIdentity = identity;
    session.role = this;
  }

  control(incoming: Incoming, identity: Identity): void | Promise<void> {
    const { source, session } = incoming;
    const isModerator =
      source.equals(this.#moderator) && identity.subject === this.#identity.subject;
    if (!isModerator) throw new SlimError('identity-rejected', `${source.text} is no moderator`);
    switch (session.messageType) {
      case messageType.joinRequest:
        return this.#invited(incoming);
      case messageType.groupWelcome:
        return this.#welcomed(incoming);
      case messageType.groupUpdate:
        return this.#updated(incoming);
      case messageType.groupClose:
        this.#session.acknowledge(incoming);
        return this.#over('closed the channel');
      case messageType.leaveRequest:
        this.#session.confirmLeave(incoming);
        // One that was answered before meant an earlier membership.
        return this.#memory.add(incoming) ? this.#over('removed this member') : undefined;
      case messageType.rejoinReply:
        // Repeated, because the acknowledgement was lost.
        if (session.messageId === this.#rejoinId) this.#acknowledgeKeys(session.messageId);
        return undefined;
      case messageType.leaveReply:
      case messageType.groupAck:
      case messageType.groupNack:
        // Late or repeated answers, which nobody waits for any more.
        return undefined;
      default:
        throw unexpected(incoming);
    }
  }

  fellBehind(): Promise<void> {
    return this.#state.kind === 'joined' ? this.#rejoin() : Promise.resolve();
  }

  stranger(): void {
    // The moderator will tell it.
  }

  invite(): Promise<readonly InvitationResult[]> {
    return Promise.reject(notModerator('invites'));
  }

  remove(): Promise<void> {
    return Promise.reject(notModerator('removes'));
  }

  async leave(): Promise<void> {
    if (this.#state.kind === 'joining') this.#state.expire();
    await askToLeave(this.#session, this.#moderator);
  }

  toKeep(): ChannelRoleRecord | undefined {
    const state = this.#state;
    if (state.kind !== 'joined') return undefined;
    return { kind: 'member', commitId: this.#commitId, welcomeId: state.welcomeId };
  }

  stop(): void {
    if (this.#state.kind === 'joining') this.#state.expire();
    this.#cancelRemoval();
  }

  /** Answers the invitation; also when it is repeated, because the answer may have been lost. */
  async #invited({ session }: Incoming): Promise<void> {
    const { setup } = this.#session;
    if (this.#state.kind === 'joined') return;
    if (this.#state.kind === 'invited') {
      const pending = setup.mls ? await this.#newKeys() : undefined;
      if (this.#session.endReason) return;
      this.#state = { kind: 'joining', pending, expire: this.#armExpiry() };
    }
    const keyPackage = this.#state.pending?.keyPackage;
    const { sendsData, receivesData } = setup;
    const participant = { ...online(setup.source), settings: { sendsData, receivesData } };
    this.#session.send(this.#moderator, messageType.joinReply, {
      id: session.messageId,
      command: { joinReply: { keyPackage, participant } },
    });
  }

  /** What is not followed up ends. */
  #armExpiry(): Cancel {
    const { context, setup } = this.#session;
    const { intervalMs, maxRetries } = setup.policy;
    return context.clock.schedule(intervalMs * (maxRetries + 1), () =>
      this.#session.finish(new SlimError('timeout', 'the invitation was not followed up')),
    );
  }

  async #welcomed(incoming: Incoming): Promise<void> {
    const state = this.#state;
    // Repeated, because the acknowledgement was lost.
    if (state.kind === 'joined' && state.welcomeId === incoming.session.messageId) {
      return this.#session.acknowledge(incoming);
    }
    if (state.kind !== 'joining') throw unexpected(incoming);
    const { participants = [], mls } = incoming.command?.groupWelcome ?? {};
    if (state.pending && !mls) throw new SlimError('mls-failure', 'the welcome has no MLS part');
    state.expire();
    let joined: boolean;
    try {
      joined = !state.pending || (await this.#join(state.pending, mls));
      if (!(await subscribeChannel(this.#session))) return;
    } catch (reason) {
      // Not this welcome then. The one that is comes again, or never.
      if (!this.#session.endReason) this.#state = { ...state, expire: this.#armExpiry() };
      throw reason;
    }
    this.#state = { kind: 'joined', welcomeId: incoming.session.messageId };
    for (const participant of participants) this.#session.admit(participant);
    this.#session.keep();
    this.#session.acknowledge(incoming);
    if (joined) return this.#ready();
    // The library refuses some legal welcomes (reference: MLS 12.1); the one for a rejoin it takes,
    // because the commit behind it leaves no unmerged leaves.
    this.#rejoin().then(
      () => this.#ready(),
      (reason: unknown) => this.#session.finish(SlimError.from(reason, 'mls-failure')),
    );
  }

  /** Returns false when the welcome cannot be used and another one is needed. */
  async #join(pending: PendingMember, mls: MlsPayload | undefined): Promise<boolean> {
    if (!mls) return false;
    try {
      this.#enter(await pending.join(mls.content), mls.commitId);
      return true;
    } catch (reason) {
      // Anything else is a welcome that was not meant for these keys; the one that is comes again.
      if (!isNestedTreeRefusal(reason)) throw reason;
      return false;
    }
  }

  #enter(group: MlsGroup, commitId: number): void {
    if (this.#session.endReason) return;
    this.#session.group = group;
    this.#commitId = commitId;
    this.#session.keep();
    this.#session.epochChanged();
  }

  #ready(): void {
    if (!this.#session.endReason) this.#established();
  }

  async #updated(incoming: Incoming): Promise<void> {
    const update = incoming.command?.groupUpdate;
    const { setup } = this.#session;
    if (this.#state.kind !== 'joined' || !update?.participant?.name) throw unexpected(incoming);
    const isSelf = update.participant.name.equals(setup.source);
    if (isSelf && update.op === groupUpdateOp.rejoin) return this.#rejoined(update, incoming);
    // Acknowledged in any case: a moderator that waits for it does not answer the request for new keys.
    this.#session.acknowledge(incoming);
    if (this.#rejoining) {
      this.#held.push(incoming);
      return;
    }
    if (!(setup.mls ? await this.#applyCommit(update.mls) : this.#memory.add(incoming))) return;
    this.#applyRoster(update, isSelf);
    this.#session.keep();
  }

  /** Returns false when the roster is not to be touched: the commit is old, or cannot be applied. */
  async #applyCommit(mls: MlsPayload | undefined): Promise<boolean> {
    const { group } = this.#session;
    if (!mls || !group) throw new SlimError('mls-failure', 'an update has no commit');
    if (mls.commitId <= this.#commitId) return false;
    if (mls.commitId > this.#commitId + 1) {
      this.#catchUp();
      return false;
    }
    try {
      await group.applyCommit(mls.content);
    } catch (reason) {
      const error = SlimError.from(reason, 'mls-failure');
      // The commit that removes this side: there are no new keys for it, and it will be told to leave.
      if (error.code === 'not-a-member') return true;
      this.#session.report(error);
      this.#catchUp();
      return false;
    }
    this.#commitId = mls.commitId;
    this.#session.epochChanged();
    return true;
  }

  #applyRoster({ op, participant }: GroupUpdate, isSelf: boolean): void {
    const key = participant?.name?.key;
    if (!participant || key === undefined) return;
    if (isSelf) return this.#removed();
    const member = this.#session.roster.get(key);
    if (op === groupUpdateOp.remove) {
      if (member) this.#session.dismiss(member);
    } else if (op === groupUpdateOp.rejoin && member) {
      this.#session.setOnline(member, true);
    } else {
      this.#session.admit(participant);
    }
  }

  /** The update about this side's own return: only the list of members in it is news. */
  #rejoined({ participants, mls }: GroupUpdate, incoming: Incoming): void {
    const { roster, setup } = this.#session;
    this.#session.acknowledge(incoming);
    if ((mls?.commitId ?? 0) < this.#commitId) return;
    const keys = new Set(participants.map(({ name }) => name?.key));
    for (const member of [...roster]) {
      if (!keys.has(member.name.key)) this.#session.dismiss(member);
    }
    for (const participant of participants) {
      // Native moderators list a member that comes back as offline still.
      const isSelf = participant.name?.equals(setup.source) ?? false;
      const status = isSelf ? participantState.online : participant.status;
      this.#session.admit({ ...participant, status });
    }
    this.#session.keep();
  }

  #catchUp(): void {
    this.fellBehind().catch((reason: unknown) => this.#session.report(reason));
  }

  /** Out, and about to be told so; if that gets lost, this side ends by itself. */
  #removed(): void {
    const { context, setup } = this.#session;
    const { intervalMs, maxRetries } = setup.policy;
    this.#cancelRemoval();
    this.#cancelRemoval = context.clock.schedule(intervalMs * (maxRetries + 1), () =>
      this.#over('removed this member'),
    );
  }

  get #memory(): ChannelMemory {
    return this.#session.setup.memory;
  }

  /** Asks for new keys, once however often it is needed (reference: sessions 8.3, MLS 8). */
  #rejoin(): Promise<void> {
    this.#rejoining ??= this.#askForKeys().finally(() => {
      this.#rejoining = undefined;
      for (const incoming of this.#held.splice(0)) this.#session.receive(incoming);
    });
    return this.#rejoining;
  }

  async #askForKeys(): Promise<void> {
    const { setup } = this.#session;
    const moderator = this.#moderator;
    const pending = await this.#newKeys();
    const rejoinRequest = { participant: setup.source, keyPackage: pending.keyPackage };
    const reply = await ask(this.#session, moderator, messageType.rejoinRequest, {
      command: { rejoinRequest },
      answeredBy: messageType.rejoinReply,
    });
    const welcome = reply.command?.rejoinReply;
    if (!welcome) throw unexpected(reply);
    this.#enter(await pending.join(welcome.content), welcome.commitId);
    this.#rejoinId = reply.session.messageId;
    this.#acknowledgeKeys(this.#rejoinId);
  }

  /**
   * The id was used by the request already, and a native moderator drops it as a replay unless it comes
   * from another name (reference: sessions 8.3).
   */
  #acknowledgeKeys(id: number): void {
    this.#session.acknowledgeAnonymously(this.#moderator, id);
  }

  async #newKeys(): Promise<PendingMember> {
    const { context } = this.#session;
    const { PendingMember } = await loadMls();
    return PendingMember.create(context.mls, context.provider.token());
  }

  #over(what: string): void {
    const moderator = this.#moderator.text;
    this.#session.finish(new SlimError('session-closed', `${moderator} ${what}`));
  }
}

/** See MLS 12.1; the library has no code for it. */
function isNestedTreeRefusal(reason: unknown): boolean {
  return reason instanceof SlimError && reason.message.includes('unmerged_leaves');
}

function notModerator(what: string): SlimError {
  return new SlimError('not-moderator', `only the moderator ${what}`);
}
