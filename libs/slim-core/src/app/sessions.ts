import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import { loadMls, MlsPreload } from '../mls/load-mls.js';
import { channelIds, nullId } from '../names/name-id.js';
import type { SlimName } from '../names/slim-name.js';
import type { BaseSession, SessionOwner, SessionSetup } from '../session/base-session.js';
import type { Channel } from '../session/channel.js';
import { ChannelMemory } from '../session/channel-memory.js';
import { ChannelMember } from '../session/channel-member.js';
import { ChannelSession } from '../session/channel-session.js';
import { subscribeChannel } from '../session/channel-subscriptions.js';
import { verifySender } from '../session/checks.js';
import type { Composer } from '../session/composer.js';
import { online } from '../session/control-exchange.js';
import type { Incoming } from '../session/incoming.js';
import { Discovery } from '../session/discovery.js';
import { Initiator } from '../session/initiator.js';
import { Moderator } from '../session/moderator.js';
import { PointToPointSession } from '../session/point-to-point.js';
import { Responder, type Invited } from '../session/responder.js';
import { randomSessionId, type SessionContext } from '../session/session-context.js';
import type { Session } from '../session/session.js';
import { Unread } from '../session/unread.js';
import type { StateRecord } from '../store/state-store.js';
import type { JoinRequest } from '../wire/command-payload.js';
import { messageType, sessionType, type MessageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import type {
  Direction,
  DiscoverOptions,
  InvitationPolicy,
  OpenSessionOptions,
} from './session-options.js';
import { rejoinNetwork, restoreSessions } from './restored-sessions.js';
import type { SessionKeeper } from './session-keeper.js';
import { channelOf, invitedTimers, settingsOf, withTimers } from './session-setup.js';
import { SessionTable } from './session-table.js';

/** What sessions need of the application they belong to. */
export interface SessionsOptions {
  readonly context: SessionContext;
  readonly own: WireName;
  readonly accept: InvitationPolicy;
  readonly direction: Direction;
  /** True for the names this application is found under. */
  owns(name: WireName): boolean;
  dropped(reason: SlimError): void;
  /** Where sessions survive a restart. */
  readonly keeper?: SessionKeeper | undefined;
}

const defaultDiscoveryMs = 2_000;
/** Sessions that were opened to us and nobody took yet. */
const maxPendingSessions = 1_024;

/** All sessions of one application: those it opens, and those that others open to it. */
export class Sessions {
  readonly incoming = new Unread<Session | Channel>();
  /** False keeps others from finding this application; sessions that exist go on. */
  discoverable = true;
  readonly #options: SessionsOptions;
  readonly #table: SessionTable;
  readonly #preload: MlsPreload;

  constructor(options: SessionsOptions) {
    const { clock, policy } = options.context;
    this.#options = options;
    this.#table = new SessionTable(policy.maxSessions);
    this.#preload = new MlsPreload(clock);
  }

  /** @throws SlimError `backpressure` beyond `maxSessions`, and see `SlimApp.openSession` */
  async open(target: WireName, options: OpenSessionOptions): Promise<Session> {
    this.#table.assertRoom();
    const { discoveryMs = defaultDiscoveryMs, signal } = options;
    const { context } = this.#options;
    const setup = this.#setup(options);
    const session = this.#table.add(new PointToPointSession(context, setup, this.#owner));
    try {
      await new Initiator(session).open(target, { discoveryMs, signal });
    } catch (reason) {
      session.finish(SlimError.from(reason, 'mls-failure'));
      throw reason;
    }
    return session;
  }

  /** See `SlimApp.discover`. */
  async discover(target: WireName, options: DiscoverOptions): Promise<SlimName> {
    const search = this.#search();
    try {
      return await search.one(target, { discoveryMs: defaultDiscoveryMs, ...options });
    } finally {
      search.finish();
    }
  }

  /** See `SlimApp.instances`. */
  async *instances(target: WireName, options: DiscoverOptions): AsyncGenerator<SlimName> {
    const found = new Unread<SlimName>();
    const search = this.#search();
    search
      .all(target, { discoveryMs: defaultDiscoveryMs, ...options }, (name) => found.push(name))
      .then(
        () => found.end(),
        (reason: unknown) => found.end(SlimError.from(reason, 'aborted')),
      );
    try {
      yield* found;
    } finally {
      search.finish();
    }
  }

  /** @throws SlimError `backpressure` beyond `maxSessions`, and see `SlimApp.createChannel` */
  async createChannel(name: SlimName, options: OpenSessionOptions): Promise<Channel> {
    const { discoveryMs = defaultDiscoveryMs } = options;
    const { context, own, direction } = this.#options;
    const ids = await channelIds(context.provider.tokenId, name.service);
    const settings = settingsOf(direction);
    const setup = {
      ...this.#setup(options),
      channel: context.toWireName(name.withId(ids.data)),
      control: context.toWireName(name.withId(ids.control)),
      moderator: own,
      memory: new ChannelMemory(),
      ...settings,
    };
    this.#table.assertRoom();
    const channel = this.#table.add(new ChannelSession(context, setup, this.#owner));
    new Moderator(channel, discoveryMs);
    try {
      if (setup.mls) {
        const { MlsGroup } = await loadMls();
        channel.group = await MlsGroup.create(context.mls, context.provider.token());
      }
      if (!(await subscribeChannel(channel))) throw channel.endReason;
    } catch (reason) {
      channel.finish(SlimError.from(reason, 'mls-failure'));
      throw reason;
    }
    channel.admit({ ...online(own), settings }, context.provider.tokenId);
    channel.keep();
    return channel;
  }

  /** Takes a message off the link. @throws SlimError when it is refused, which loses nothing else */
  receive(incoming: Incoming): void {
    const session = this.#table.get(incoming.session.sessionId);
    if (session && !isAnew(session, incoming)) session.receive(incoming);
    else this.#unknown(incoming);
  }

  /** Takes up what was kept before a restart; nothing is sent. @throws SlimError `store-failed` */
  async restore(records: readonly StateRecord[]): Promise<readonly (Session | Channel)[]> {
    const restored = await restoreSessions(records, this.#options.context, this.#owner);
    for (const session of restored) this.#options.keeper?.resume(this.#table.add(session));
    return restored;
  }

  /** Has those that were restored take part again. @throws SlimError `timeout`, `link-failed`, `link-closed` */
  async rejoin(subscribe: (name: WireName) => Promise<void>): Promise<void> {
    const { own } = this.#options;
    await Promise.all([...this.#table].map((each) => rejoinNetwork(each, own, subscribe)));
  }

  /** Closes those that were opened under a name. */
  async close(source: WireName): Promise<void> {
    const closing = [...this.#table].filter(({ setup }) => setup.source.equals(source));
    await Promise.all(closing.map((session) => session.close()));
  }

  /** Closes all; those that are kept only here, for they go on after the next start. */
  async end(): Promise<void> {
    const { keeper } = this.#options;
    const closing = [...this.#table].map(async (session) => {
      if (!keeper?.has(session)) return session.close();
      keeper.release(session);
      session.finish();
    });
    await Promise.all(closing);
    await this.#preload.close();
  }

  /** The first message of a session that another application opens, or the last of one that is over. */
  #unknown(incoming: Incoming): void {
    if (!isOpening(incoming.session.messageType) && !this.#isFarewell(incoming)) return;
    if (!this.#options.owns(incoming.destination)) return;
    const { verifier, crypto } = this.#options.context;
    const identity = verifySender(verifier, crypto, incoming);
    if (!(identity instanceof Promise)) return this.#knownSender(incoming, identity);
    identity
      .then((known) => this.#knownSender(incoming, known))
      .catch((reason: unknown) => {
        this.#options.dropped(SlimError.from(reason, 'identity-rejected'));
      });
  }

  #knownSender(incoming: Incoming, identity: Identity): void {
    switch (incoming.session.messageType) {
      case messageType.discoveryRequest:
        if (!this.discoverable) return undefined;
        return this.#answer(incoming, messageType.discoveryReply, { discoveryReply: {} });
      case messageType.joinRequest:
        return this.#invited(incoming, identity);
      case messageType.groupClose:
        return this.#answer(incoming, messageType.groupAck, { groupAck: {} });
      case messageType.leaveRequest:
        this.#table.memoryOf(incoming.session.sessionId)?.add(incoming);
        return this.#answer(incoming, messageType.leaveReply, { leaveReply: {} });
      default:
    }
  }

  #isFarewell({ session }: Incoming): boolean {
    const { messageType: type, sessionId } = session;
    const isLast = type === messageType.groupClose || type === messageType.leaveRequest;
    return isLast && this.#table.memoryOf(sessionId) !== undefined;
  }

  #invited(incoming: Incoming, identity: Identity): void {
    const { destination, command, source, metadata } = incoming;
    const request = command?.joinRequest;
    if (!request) throw new SlimError('malformed-frame', 'an invitation has no content');
    if (destination.id !== this.#options.own.id) return;
    if (this.incoming.size >= maxPendingSessions) {
      throw new SlimError('backpressure', `${maxPendingSessions} sessions wait to be accepted`);
    }
    const accepted = this.#options.accept({
      channel: request.channel?.slimName.withId(nullId),
      from: source.slimName,
      identity,
      mls: request.mls !== undefined,
      reliable: request.timers !== undefined,
      metadata: Object.fromEntries(metadata),
    });
    if (!(accepted instanceof Promise)) return this.#decided(accepted, incoming, identity);
    accepted
      .then((yes) => this.#decided(yes, incoming, identity))
      .catch((reason: unknown) => {
        this.#options.dropped(SlimError.from(reason, 'refused', 'deciding on an invitation'));
      });
  }

  #decided(accepted: boolean, incoming: Incoming, identity: Identity): void {
    if (!accepted) return this.#answer(incoming, messageType.groupNack, { groupNack: {} });
    const request = incoming.command?.joinRequest;
    const known = this.#table.get(incoming.session.sessionId);
    if (known && isSuperseded(known, incoming, identity)) {
      known.finish(new SlimError('session-closed', 'this member was removed and is invited again'));
    } else if (known) {
      // Decided twice, because the invitation was repeated meanwhile.
      return known.receive(incoming);
    }
    const memory = this.#table.memoryOf(incoming.session.sessionId) ?? new ChannelMemory();
    // Of a session that is over: late, or recorded and sent again.
    if (memory.has(incoming) || !request) return;
    try {
      this.#table.assertRoom();
    } catch (reason) {
      this.#answer(incoming, messageType.groupNack, { groupNack: {} });
      throw reason;
    }
    memory.add(incoming);
    const setup = { ...this.#invitedSetup(incoming, request), memory };
    switch (incoming.session.sessionType) {
      case sessionType.pointToPoint: {
        const joined = this.#table.add(
          new PointToPointSession(this.#options.context, setup, this.#owner),
        );
        const invited = invitedBy(incoming, identity);
        new Responder(joined, invited, () => this.incoming.push(joined));
        return joined.receive(incoming);
      }
      case sessionType.multicast:
        return this.#joinChannel(incoming, identity, { ...setup, ...channelOf(request) });
      default:
        throw new SlimError('malformed-frame', 'an invitation to a session of unknown type');
    }
  }

  #joinChannel(
    incoming: Incoming,
    identity: Identity,
    setup: SessionSetup & ReturnType<typeof channelOf> & { readonly memory: ChannelMemory },
  ): void {
    const { context, direction } = this.#options;
    const joined = this.#table.add(
      new ChannelSession(
        context,
        { ...setup, moderator: incoming.source, ...settingsOf(direction) },
        this.#owner,
      ),
    );
    new ChannelMember(joined, invitedBy(incoming, identity), () => this.incoming.push(joined));
    joined.receive(incoming);
  }

  #setup(options: OpenSessionOptions): SessionSetup {
    const { mls = true, reliable = true, intervalMs, maxRetries, metadata = {} } = options;
    const { context, own } = this.#options;
    return {
      id: this.#freeId(),
      source: own,
      mls,
      reliable,
      policy: withTimers(context.policy, intervalMs, maxRetries),
      metadata,
    };
  }

  #invitedSetup({ session, destination, metadata }: Incoming, request: JoinRequest): SessionSetup {
    return {
      id: session.sessionId,
      source: destination,
      mls: request.mls !== undefined,
      reliable: request.timers !== undefined,
      policy: invitedTimers(this.#options.context.policy, request.timers),
      metadata: Object.fromEntries(metadata),
    };
  }

  #search(): Discovery {
    const { context } = this.#options;
    return this.#table.add(new Discovery(context, this.#setup({}), this.#owner));
  }

  #freeId(): number {
    for (;;) {
      const id = randomSessionId(this.#options.context.crypto);
      if (!this.#table.has(id)) return id;
    }
  }

  get #owner(): SessionOwner {
    const { keeper } = this.#options;
    return {
      dropped: (reason) => this.#options.dropped(reason),
      ended: (session) => {
        this.#table.remove(session);
        keeper?.forget(session);
      },
      ...(keeper && {
        keep: (session) => keeper.keep(session),
        number: (session, messageId) => keeper.number(session, messageId),
      }),
    };
  }

  /** Answers a control message that belongs to no session here. */
  #answer(
    { source, destination, session }: Incoming,
    type: MessageType,
    command: Parameters<Composer['control']>[1],
  ): void {
    const { context, own } = this.#options;
    const address = {
      source: destination.withId(own.id),
      destination: source,
      session: { ...session, messageType: type },
    };
    context.send(context.composer.control(address, command));
  }
}

/** Discovery is of no session, and a member that is invited again is out of the channel it knew. */
const isAnew = (session: BaseSession, incoming: Incoming): boolean =>
  incoming.session.messageType === messageType.discoveryRequest ||
  (incoming.session.messageType === messageType.joinRequest &&
    session instanceof ChannelSession &&
    !session.setup.memory.has(incoming));

/** True when the moderator of a channel invites this side, which it would not do with a member. */
const isSuperseded = (session: BaseSession, incoming: Incoming, { subject }: Identity): boolean =>
  session instanceof ChannelSession &&
  !session.isModerator &&
  session.setup.moderator.equals(incoming.source) &&
  session.moderatorIdentity?.subject === subject &&
  !session.setup.memory.has(incoming);

const invitedBy = ({ source }: Incoming, identity: Identity): Invited => ({
  moderator: source,
  identity,
});

const isOpening = (type: number): boolean =>
  type === messageType.discoveryRequest || type === messageType.joinRequest;
