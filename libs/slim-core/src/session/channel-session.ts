import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import { parseApplicationMessage } from '../mls/epoch.js';
import type { MlsGroup } from '../mls/mls-group.js';
import { nullId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { noEpoch, participantState, type Participant } from '../wire/command-payload.js';
import { fanout } from '../wire/header.js';
import { isControl, messageType, sessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { BaseSession, type SessionOwner } from './base-session.js';
import type { ChannelRole, ChannelSetup } from './channel-role.js';
import { channelRecord } from './channel-record.js';
import { unsubscribeChannel } from './channel-subscriptions.js';
import type { Channel, ChannelEvents, ChannelParticipant, InvitationResult } from './channel.js';
import { askAll } from './control-exchange.js';
import { toContent } from './content.js';
import { DataPath } from './data-path.js';
import { EarlyMessages } from './early-messages.js';
import { Emitter } from '../events/emitter.js';
import { GroupHeartbeat } from './group-heartbeat.js';
import type { Incoming } from './incoming.js';
import { Roster, speaksFor, toView, type Member } from './roster.js';
import { randomMessageId, type SessionContext } from './session-context.js';
import { answersOfflineMember, sealedTypes } from './message-kinds.js';
import type { PublishOptions } from './session.js';
import type { ToKeep } from './session-record.js';

/** A channel, whichever role this side has in it (reference: sessions 5 to 9). */
export class ChannelSession extends BaseSession<ChannelSetup> implements Channel {
  readonly kind = 'channel';
  readonly roster = new Roster();
  /** Undefined without MLS, and until this side joined. */
  group: MlsGroup | undefined;
  moderatorIdentity: Identity | undefined;
  readonly #events = new Emitter<ChannelEvents>();
  readonly #path: DataPath;
  readonly #heartbeat: GroupHeartbeat;
  readonly #early = new EarlyMessages();
  #role: ChannelRole | undefined;
  #presence: 'online' | 'changing' | 'offline' = 'online';

  constructor(context: SessionContext, setup: ChannelSetup, owner: SessionOwner) {
    super(sessionType.multicast, context, setup, owner);
    const { policy, channel, source, id, reliable, memory } = setup;
    this.#path = new DataPath(
      context,
      {
        sessionType: sessionType.multicast,
        sessionId: id,
        source,
        destination: channel,
        fanout: fanout.all,
        reliable,
        policy,
        lastId: memory.lastMessageId,
        isResumed: setup.isResumed,
      },
      {
        group: () => this.group,
        receivers: () => this.#receivers(),
        nameOf: (key) => this.roster.get(key)?.name,
        unresponsive: (key) => this.setOnline(this.roster.get(key), false),
        isFull: () => this.unread.size >= policy.maxUnread,
        deliver: (message) => this.unread.push(this.toMessage(message)),
        lost: (messageId) => this.lost(messageId),
        numbered: (messageId) => this.numbered(messageId),
      },
    );
    this.#heartbeat = new GroupHeartbeat(context.clock, policy, {
      isConnected: () => context.isConnected,
      isActive: () => this.#presence === 'online' && this.roster.size > 1,
      others: () => this.others(),
      silent: (member) => this.setOnline(member, false),
      beat: () => this.#beat(),
    });
  }

  get name(): SlimName {
    return new SlimName(this.setup.channel.slimName.components);
  }

  get self(): SlimName {
    return this.setup.source.slimName;
  }

  get moderator(): SlimName {
    return this.setup.moderator.slimName;
  }

  get isModerator(): boolean {
    return this.setup.moderator.equals(this.setup.source);
  }

  get epoch(): bigint {
    return this.group?.epoch ?? 0n;
  }

  /** Number of the last message to all. */
  get lastId(): number {
    return this.#path.lastId;
  }

  get role(): ChannelRole | undefined {
    return this.#role;
  }

  set role(role: ChannelRole) {
    this.#role = role;
  }

  on<Name extends keyof ChannelEvents>(
    name: Name,
    listener: (payload: ChannelEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  participants(): readonly ChannelParticipant[] {
    return [...this.roster].map(toView);
  }

  async publish(payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    this.#assertCanSend();
    await this.#path.publish(toContent(payload, options), options.signal);
  }

  async publishTo(
    member: SlimName | string,
    payload: Uint8Array,
    options: PublishOptions = {},
  ): Promise<void> {
    this.#assertCanSend();
    const found = this.roster.find(SlimName.from(member));
    if (!found || found.name.equals(this.setup.source)) {
      throw new SlimError('not-a-member', `"${member.toString()}" is not another member`);
    }
    await this.#path.publishTo(found.name, toContent(payload, options));
  }

  async invite(
    name: SlimName | string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const [result] = await this.#known.invite([this.context.toWireName(name)], signal);
    if (result?.error) throw result.error;
  }

  async inviteAll(names: readonly (SlimName | string)[]): Promise<readonly InvitationResult[]> {
    return this.#known.invite(names.map((name) => this.context.toWireName(name)));
  }

  async remove(name: SlimName | string): Promise<void> {
    await this.#known.remove(SlimName.from(name));
  }

  async goOffline(): Promise<void> {
    if (this.#presence !== 'online') return;
    this.#presence = 'changing';
    await this.#announce(participantState.offline);
    this.#presence = 'offline';
  }

  override toKeep(): ToKeep | undefined {
    return channelRecord(this, this.#role?.toKeep());
  }

  /** Comes back after a restart, of which the others know as little as this side of what they did. */
  async comeBackAgain(): Promise<void> {
    this.#presence = 'offline';
    await this.comeBack();
  }

  async comeBack(): Promise<void> {
    if (this.#presence !== 'offline') return;
    this.#presence = 'online';
    const missedCommits = await this.#announce(participantState.online);
    if (missedCommits) await this.#known.fellBehind();
  }

  /** All members but this side. */
  others(): Member[] {
    return [...this.roster].filter(({ name }) => !name.equals(this.setup.source));
  }

  /** Keys of the members that are online, but this side. */
  onlineOthers(): string[] {
    return this.others().flatMap(({ online, name }) => (online ? [name.key] : []));
  }

  /** Takes a member in. */
  admit(participant: Participant, subject?: string): Member {
    const isNew = !this.roster.get(participant.name?.key ?? '');
    const member = this.roster.set(participant, { subject, epoch: this.epoch });
    if (!isNew) return member;
    this.#path.welcome(member.name.key);
    this.#events.emit('joined', toView(member));
    return member;
  }

  /** Takes a member out. What was published and only it had not acknowledged is settled. */
  dismiss(member: Member): void {
    this.roster.delete(member.name.key);
    this.#path.forget(member.name.key);
    this.requests.excuse(member.name.key);
    this.#events.emit('left', toView(member));
  }

  setOnline(member: Member | undefined, online: boolean): void {
    if (!member || member.online === online || member.isLeaving) return;
    if (member.name.equals(this.setup.source)) return;
    member.online = online;
    member.silentIntervals = 0;
    this.#events.emit('presence', toView(member));
  }

  /** The keys changed: what came too early can be opened now. */
  epochChanged(): void {
    this.#events.emit('epoch', this.epoch);
    for (const { incoming, identity } of this.#early.take()) {
      try {
        this.#data(incoming, identity);
      } catch (reason) {
        this.owner.dropped(SlimError.from(reason, 'mls-failure'));
      }
    }
  }

  /** This side sent something that shows it lives. */
  spoke(): void {
    this.#heartbeat.spoke();
  }

  /** Acknowledges without the own id: see `ChannelMember`, which comes back with new keys. */
  acknowledgeAnonymously(to: WireName, id: number): void {
    const source = this.setup.source.withId(nullId);
    this.sendAs(source, to, messageType.groupAck, { id, command: { groupAck: {} } });
  }

  protected override reply(
    to: WireName,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void> {
    return this.publishTo(to.slimName, payload, options);
  }

  protected override handle(received: Incoming, identity: Identity): void | Promise<void> {
    const incoming = this.#withKnownSource(received, identity);
    const { messageType: type } = incoming.session;
    if (this.#presence === 'offline' && !answersOfflineMember.has(type)) return undefined;
    const member = this.roster.get(incoming.source.key);
    if (member) this.#heard(member, identity, type);
    if (!isControl(type)) return this.#data(incoming, identity);
    if (this.requests.answer(incoming)) return undefined;
    switch (type) {
      case messageType.heartbeat:
        return member ? this.#heartbeatOf(incoming) : this.#known.stranger(incoming);
      case messageType.updateParticipantState:
        return member ? this.#stateOf(member, incoming) : this.#known.stranger(incoming);
      default:
        return this.#known.control(incoming, identity);
    }
  }

  protected override async leave(): Promise<void> {
    // Half of the time, since the good-bye matters more than what nobody acknowledges.
    await this.within(this.setup.policy.closeMs / 2, this.#path.idle());
    await this.#role?.leave();
  }

  protected override stop(reason: SlimError): void {
    this.setup.memory.lastMessageId = this.#path.lastId;
    this.#path.close(reason);
    this.#heartbeat.close();
    this.#role?.stop();
    this.#early.take();
    unsubscribeChannel(this);
  }

  #data(incoming: Incoming, identity: Identity): void {
    const { source, application } = incoming;
    const { mls, receivesData } = this.setup;
    if (!receivesData) return undefined;
    const isSealed = mls && sealedTypes.has(incoming.session.messageType);
    const epoch = isSealed && application ? parseApplicationMessage(application.blob).epoch : 0n;
    if (isSealed && (!this.group || epoch > this.epoch)) {
      return this.#early.push({ incoming, identity });
    }
    const member = this.roster.get(source.key);
    if (!member || (isSealed && epoch < member.sinceEpoch)) {
      throw new SlimError('not-a-member', `a message from ${source.text}, who is no member`);
    }
    return this.#path.receive(incoming, identity);
  }

  /** The acknowledgement of a rejoin comes without the id of its sender. */
  #withKnownSource(incoming: Incoming, { subject }: Identity): Incoming {
    if (incoming.source.id !== nullId) return incoming;
    const member = this.roster.bySubject(subject);
    return member ? { ...incoming, source: member.name } : incoming;
  }

  #heard(member: Member, { subject }: Identity, type: number): void {
    if (!speaksFor(subject, member)) {
      throw new SlimError('identity-rejected', `another identity uses ${member.name.text}`);
    }
    member.silentIntervals = 0;
    // A state says itself what it means, and comes again when others do not acknowledge it.
    if (type !== messageType.updateParticipantState) this.setOnline(member, true);
  }

  #heartbeatOf({ command }: Incoming): void {
    const epoch = command?.heartbeat?.epoch ?? noEpoch;
    if (this.setup.mls && epoch !== noEpoch && epoch > this.epoch) {
      this.#catchUp();
    }
  }

  #catchUp(): void {
    this.#known.fellBehind().catch((reason: unknown) => this.report(reason));
  }

  /** A member goes offline or comes back (reference: sessions 8). */
  #stateOf(member: Member, incoming: Incoming): void {
    const state = incoming.command?.updateParticipantState;
    if (!state?.participant?.equals(member.name)) {
      throw new SlimError('malformed-frame', `${member.name.text} tells the state of another`);
    }
    // Brought again, and late: it may have changed since.
    if (!this.setup.memory.add(incoming)) return this.acknowledge(incoming);
    const isOnline = state.state === participantState.online;
    if (isOnline && this.setup.mls && state.epoch > this.epoch) this.#catchUp();
    if (isOnline && this.setup.mls && state.epoch < this.epoch) {
      const { messageId: id } = incoming.session;
      return this.send(member.name, messageType.groupNack, { id, command: { groupNack: {} } });
    }
    this.setOnline(member, isOnline);
    return this.acknowledge(incoming);
  }

  /** Returns whether another member said that this side missed commits. */
  async #announce(state: number): Promise<boolean> {
    let refused = false;
    const { source: participant, control } = this.setup;
    await askAll(this, control, messageType.updateParticipantState, {
      command: { updateParticipantState: { participant, state, epoch: this.epoch } },
      answeredBy: [messageType.groupAck, messageType.groupNack],
      members: this.onlineOthers(),
      isEnough: ({ session }) => {
        refused = session.messageType === messageType.groupNack;
        return refused;
      },
    });
    return refused;
  }

  #beat(): void {
    const epoch = this.setup.mls ? this.epoch : noEpoch;
    const id = randomMessageId(this.context.crypto);
    const command = { heartbeat: { epoch } };
    this.send(this.setup.control, messageType.heartbeat, { id, command }, fanout.all);
  }

  /** In one go, for it is asked with every message (bench case `fan-out`). */
  #receivers(): string[] {
    const own = this.setup.source.key;
    const keys: string[] = [];
    for (const { online, receivesData, name } of this.roster) {
      if (online && receivesData && name.key !== own) keys.push(name.key);
    }
    return keys;
  }

  #assertCanSend(): void {
    if (this.endReason) throw this.endReason;
    if (this.closing) throw new SlimError('session-closed', 'the channel is closing');
    if (!this.setup.sendsData) throw new SlimError('refused', 'this application only receives');
    if (this.#presence !== 'online') throw new SlimError('session-closed', 'this side is offline');
    if (this.setup.mls && !this.group) throw new SlimError('mls-failure', 'no keys yet');
    this.#heartbeat.spoke();
  }

  get #known(): ChannelRole {
    if (this.#role) return this.#role;
    throw new SlimError('session-closed', 'the channel has no role');
  }
}
