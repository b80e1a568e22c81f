import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { MlsGroup } from '../mls/mls-group.js';
import type { SlimName } from '../names/slim-name.js';
import { noEpoch } from '../wire/command-payload.js';
import { fanout } from '../wire/header.js';
import { isControl, messageType, sessionType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { BaseSession, type SessionOwner, type SessionSetup } from './base-session.js';
import { toContent } from './content.js';
import { DataPath } from './data-path.js';
import { Heartbeat } from './heartbeat.js';
import type { Incoming } from './incoming.js';
import { randomMessageId, type SessionContext } from './session-context.js';
import type { PublishOptions, Session, SessionMessage, WaitOptions } from './session.js';
import {
  identityRecord,
  nameRecord,
  setupRecord,
  type RoleRecord,
  type ToKeep,
} from './session-record.js';

/** The other side, once it is known and the keys are agreed on. */
export interface SessionPeer {
  readonly name: WireName;
  readonly identity: Identity;
  readonly group: MlsGroup | undefined;
}

/** What differs between the side that opened a session and the side that was asked. */
export interface SessionRole {
  readonly isInitiator: boolean;
  /** Handles a control message of a verified sender. */
  control(incoming: Incoming, identity: Identity): void | Promise<void>;
  /** Tells the other side that this one is leaving, and waits for its answer. */
  leave(): Promise<void>;
  /** What of it outlives the process. */
  toKeep(): RoleRecord | undefined;
}

interface Established {
  readonly peer: SessionPeer;
  readonly path: DataPath;
  readonly heartbeat: Heartbeat;
}

/** A session between two applications, whichever of them opened it (reference: sessions 4). */
export class PointToPointSession extends BaseSession implements Session {
  readonly kind = 'session';
  #role: SessionRole | undefined;
  #established: Established | undefined;

  constructor(context: SessionContext, setup: SessionSetup, owner: SessionOwner) {
    super(sessionType.pointToPoint, context, setup, owner);
  }

  get name(): SlimName {
    return this.setup.source.slimName;
  }

  get peer(): SlimName {
    return this.#known.peer.name.slimName;
  }

  get isInitiator(): boolean {
    return this.#role?.isInitiator ?? false;
  }

  get peerIdentity(): Identity {
    return this.#known.peer.identity;
  }

  /** Set right after construction, before anything is received. */
  set role(role: SessionRole) {
    this.#role = role;
  }

  /** The keys are agreed on: data can flow. `lastId` is the number of the last message before a restart. */
  activate(peer: SessionPeer, lastId = 0): void {
    if (this.#established || this.endReason) return;
    const { id, source, reliable, policy } = this.setup;
    const path = new DataPath(
      this.context,
      {
        sessionType: sessionType.pointToPoint,
        sessionId: id,
        source,
        destination: peer.name,
        fanout: fanout.one,
        reliable,
        policy,
        lastId,
        isResumed: this.setup.isResumed,
      },
      {
        group: () => peer.group,
        receivers: () => [peer.name.key],
        nameOf: () => peer.name,
        unresponsive: () => undefined,
        isFull: () => this.unread.size >= policy.maxUnread,
        deliver: (message) => this.unread.push(this.toMessage(message)),
        lost: (messageId) => this.lost(messageId),
        numbered: (messageId) => this.numbered(messageId),
      },
    );
    // Where the stream begins for the peer, so nothing may overtake it (reference: sessions 7.4).
    if (reliable && !this.setup.isResumed) path.welcome(peer.name.key);
    const heartbeat = new Heartbeat(this.context.clock, policy, {
      beat: () => this.#beat(peer),
      lost: () => this.finish(new SlimError('peer-lost', `${peer.name.text} fell silent`)),
      isConnected: () => this.context.isConnected,
    });
    this.#established = { peer, path, heartbeat };
  }

  override toKeep(): ToKeep | undefined {
    const role = this.#role?.toKeep();
    if (!role || !this.#established) return undefined;
    const { peer, path } = this.#established;
    const record = {
      ...setupRecord(this.setup),
      kind: 'session',
      peer: nameRecord(peer.name),
      peerIdentity: identityRecord(peer.identity),
      role,
    } as const;
    return { record, group: peer.group, lastId: path.lastId };
  }

  async publish(payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (this.endReason) throw this.endReason;
    if (this.closing) throw new SlimError('session-closed', 'the session is closing');
    const { path, heartbeat } = this.#known;
    heartbeat.spoke();
    await path.publish(toContent(payload, options), options.signal);
  }

  async request(
    payload: Uint8Array,
    options: PublishOptions & WaitOptions = {},
  ): Promise<SessionMessage> {
    const reply = this.next(options);
    // A publish that fails is what the caller hears of; the wait then fails for the same reason.
    reply.catch(() => undefined);
    await this.publish(payload, options);
    return reply;
  }

  protected override reply(
    _to: WireName,
    payload: Uint8Array,
    options?: PublishOptions,
  ): Promise<void> {
    return this.publish(payload, options);
  }

  protected override handle(incoming: Incoming, identity: Identity): void | Promise<void> {
    const established = this.#established;
    if (established) this.#assertPeer(established.peer, incoming, identity);
    established?.heartbeat.heard();
    if (!isControl(incoming.session.messageType)) {
      if (!established) throw new SlimError('malformed-frame', 'data before the welcome');
      return established.path.receive(incoming, identity);
    }
    if (incoming.session.messageType === messageType.heartbeat) return undefined;
    if (this.requests.answer(incoming)) return undefined;
    return this.#role?.control(incoming, identity);
  }

  protected override async leave(): Promise<void> {
    if (!this.#established) return;
    // What stays unacknowledged must not use up the time for the good-bye.
    await this.within(this.setup.policy.closeMs / 2, this.#established.path.idle());
    await this.#role?.leave();
  }

  protected override stop(reason: SlimError): void {
    this.#established?.path.close(reason);
    this.#established?.heartbeat.close();
  }

  #assertPeer(peer: SessionPeer, { source }: Incoming, { subject }: Identity): void {
    if (source.equals(peer.name) && subject === peer.identity.subject) return;
    throw new SlimError('identity-rejected', `a message of the session is from ${source.text}`);
  }

  #beat(peer: SessionPeer): void {
    const epoch = peer.group?.epoch ?? noEpoch;
    const id = randomMessageId(this.context.crypto);
    this.send(peer.name, messageType.heartbeat, { id, command: { heartbeat: { epoch } } });
  }

  get #known(): Established {
    if (this.#established) return this.#established;
    throw new SlimError('session-closed', 'the session is not established');
  }
}
