import type { Identity } from '../auth/identity.js';
import { SlimError } from '../errors/slim-error.js';
import type { MlsGroup } from '../mls/mls-group.js';
import type { SlimName } from '../names/slim-name.js';
import type { CommandPayload } from '../wire/command-payload.js';
import { fanout } from '../wire/header.js';
import type { TextMap } from '../wire/schema.js';
import { isControl, messageType, sessionType, type MessageType } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';
import { verifySender } from './checks.js';
import { ControlRequests } from './control-requests.js';
import { DataPath, type Received } from './data-path.js';
import { Heartbeat } from './heartbeat.js';
import type { Incoming } from './incoming.js';
import { SerialInbox } from './serial-inbox.js';
import { randomMessageId, type SessionContext } from './session-context.js';
import type { SessionPolicy } from './session-policy.js';
import type { Metadata, PublishOptions, Session, SessionMessage, WaitOptions } from './session.js';
import { Unread } from './unread.js';

/** What a session is made with; the side that opens it decides, the other side reads it. */
export interface SessionSetup {
  readonly id: number;
  readonly source: WireName;
  readonly mls: boolean;
  readonly reliable: boolean;
  readonly policy: SessionPolicy;
  readonly metadata: Metadata;
}

/** The other side, once it is known and the keys are agreed on. */
export interface SessionPeer {
  readonly name: WireName;
  readonly identity: Identity;
  readonly group: MlsGroup | undefined;
}

/** What differs between the side that opened a session and the side that was asked. */
export interface SessionRole {
  /** Handles a control message that passed the checks. */
  control(incoming: Incoming, identity: Identity): void | Promise<void>;
  /** Tells the other side that this one is leaving, and waits for its answer. */
  leave(): Promise<void>;
}

/** What a session tells the application object that owns it. */
export interface SessionOwner {
  /** A message was refused; nothing else is lost. */
  dropped(reason: SlimError): void;
  /** The session is over and must not be given messages any more. */
  ended(session: PointToPointSession): void;
}

type State =
  | { readonly kind: 'opening' }
  | {
      readonly kind: 'active';
      readonly peer: SessionPeer;
      readonly path: DataPath;
      readonly heartbeat: Heartbeat;
    }
  | { readonly kind: 'ended'; readonly peer: SessionPeer | undefined; readonly reason: SlimError };

/** A session between two applications, whichever of them opened it (reference: sessions 4). */
export class PointToPointSession implements Session {
  readonly id: number;
  readonly setup: SessionSetup;
  readonly context: SessionContext;
  readonly requests: ControlRequests;
  readonly ended: Promise<SlimError | undefined>;
  readonly #owner: SessionOwner;
  readonly #unread = new Unread<SessionMessage>();
  readonly #inbox: SerialInbox<Incoming>;
  readonly #lostListeners = new Set<(messageId: number) => void>();
  #role: SessionRole | undefined;
  #state: State = { kind: 'opening' };
  #closing: Promise<void> | undefined;
  #end: (reason: SlimError | undefined) => void = () => undefined;

  constructor(context: SessionContext, setup: SessionSetup, owner: SessionOwner) {
    this.id = setup.id;
    this.setup = setup;
    this.context = context;
    this.#owner = owner;
    this.requests = new ControlRequests(context.clock);
    this.#inbox = new SerialInbox(
      (incoming) => this.#handle(incoming),
      (reason) => owner.dropped(SlimError.from(reason, 'malformed-frame')),
    );
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get name(): SlimName {
    return this.setup.source.slimName;
  }

  get peer(): SlimName {
    return this.#knownPeer.name.slimName;
  }

  get peerIdentity(): Identity {
    return this.#knownPeer.identity;
  }

  get mls(): boolean {
    return this.setup.mls;
  }

  get reliable(): boolean {
    return this.setup.reliable;
  }

  get metadata(): Metadata {
    return this.setup.metadata;
  }

  /** Set right after construction, before anything is received. */
  set role(role: SessionRole) {
    this.#role = role;
  }

  /** Takes a message of this session off the link. */
  receive(incoming: Incoming): void {
    this.#inbox.push(incoming);
  }

  /** The keys are agreed on: data can flow. */
  activate(peer: SessionPeer): void {
    if (this.#state.kind !== 'opening') return;
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
      },
      {
        group: () => peer.group,
        receivers: () => [peer.name.key],
        nameOf: () => peer.name,
        unresponsive: () => undefined,
        isFull: () => this.#unread.size >= policy.maxUnread,
        deliver: (message) => this.#unread.push(this.#toMessage(message)),
        lost: (messageId) => this.#lost(messageId),
      },
    );
    const heartbeat = new Heartbeat(this.context.clock, policy, {
      beat: () => this.#beat(peer),
      lost: () => this.finish(new SlimError('peer-lost', `${peer.name.text} fell silent`)),
      isConnected: () => this.context.isConnected,
    });
    this.#state = { kind: 'active', peer, path, heartbeat };
  }

  async publish(payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    const state = this.#active();
    if (this.#closing) throw new SlimError('session-closed', 'the session is closing');
    const { payloadType = 'msg', metadata = {}, signal } = options;
    state.heartbeat.spoke();
    const content = { payloadType, payload, metadata: new Map(Object.entries(metadata)) };
    await state.path.publish(content, signal);
  }

  async next({ timeoutMs, signal }: WaitOptions = {}): Promise<SessionMessage> {
    const wait = new AbortController();
    const abort = (): void =>
      wait.abort(SlimError.from(signal?.reason, 'aborted', 'gave up waiting'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const cancel =
      timeoutMs === undefined
        ? undefined
        : this.context.clock.schedule(timeoutMs, () =>
            wait.abort(new SlimError('timeout', `no message within ${timeoutMs} ms`)),
          );
    try {
      const { done, value } = await this.#unread.next(wait.signal);
      if (done) throw this.#endReason();
      return value;
    } finally {
      cancel?.();
      signal?.removeEventListener('abort', abort);
    }
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

  onLost(listener: (messageId: number) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncIterator](): AsyncIterator<SessionMessage, undefined> {
    return this.#unread[Symbol.asyncIterator]();
  }

  /** Ends the session on this side. Without a reason it was this side that ended it. */
  finish(reason?: SlimError): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    const why = reason ?? new SlimError('session-closed', 'the session is closed');
    if (state.kind === 'active') {
      state.path.close(why);
      state.heartbeat.close();
    }
    this.#state = {
      kind: 'ended',
      peer: state.kind === 'active' ? state.peer : undefined,
      reason: why,
    };
    this.requests.close(why);
    this.#unread.end(reason?.code === 'session-closed' ? undefined : reason);
    this.#owner.ended(this);
    this.#end(reason);
  }

  /** Sends a control message of this session. */
  send(
    destination: WireName,
    type: MessageType,
    message: {
      readonly id: number;
      readonly command: Partial<CommandPayload>;
      readonly metadata?: TextMap;
    },
  ): void {
    const session = {
      sessionType: sessionType.pointToPoint,
      messageType: type,
      sessionId: this.id,
      messageId: message.id,
    };
    const address = { source: this.setup.source, destination, session };
    const { command, metadata } = message;
    this.context.send(this.context.composer.control(address, command, metadata));
  }

  async #close(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'active') {
      const { clock } = this.context;
      let cancel = (): void => undefined;
      const limit = new Promise<void>((resolve) => {
        cancel = clock.schedule(this.setup.policy.closeMs, resolve);
      });
      await Promise.race([this.#leave(state.path), limit, this.ended]);
      cancel();
    }
    this.finish();
  }

  /** What is under way first, then the good-bye. */
  async #leave(path: DataPath): Promise<void> {
    await path.idle();
    try {
      await this.#role?.leave();
    } catch (reason) {
      // Nobody answered the good-bye. The session ends all the same, and the owner is told why.
      this.#owner.dropped(SlimError.from(reason, 'timeout'));
    }
  }

  #handle(incoming: Incoming): void | Promise<void> {
    const state = this.#state;
    if (state.kind === 'ended') return undefined;
    if (state.kind === 'active' && !incoming.source.equals(state.peer.name)) {
      throw new SlimError('identity-rejected', `not from the peer: ${incoming.source.text}`);
    }
    const { verifier, crypto } = this.context;
    const identity = verifySender(verifier, crypto, incoming);
    return identity instanceof Promise
      ? identity.then((known) => this.#handleFrom(known, incoming))
      : this.#handleFrom(identity, incoming);
  }

  #handleFrom(identity: Identity, incoming: Incoming): void | Promise<void> {
    const state = this.#state;
    if (state.kind === 'ended') return undefined;
    if (state.kind === 'active') {
      if (identity.subject !== state.peer.identity.subject) {
        throw new SlimError(
          'identity-rejected',
          'a message of the session is from another identity',
        );
      }
      state.heartbeat.heard();
    }
    if (!isControl(incoming.session.messageType)) {
      if (state.kind !== 'active')
        throw new SlimError('malformed-frame', 'data before the welcome');
      return state.path.receive(incoming, identity);
    }
    if (incoming.session.messageType === messageType.heartbeat) return undefined;
    if (this.requests.answer(incoming)) return undefined;
    return this.#role?.control(incoming, identity);
  }

  #toMessage({ payload, incoming, identity }: Received): SessionMessage {
    return {
      payload,
      payloadType: incoming.application?.payloadType || 'msg',
      metadata: Object.fromEntries(incoming.metadata),
      source: incoming.source.slimName,
      identity,
      reply: (bytes, options) => this.publish(bytes, options),
    };
  }

  #beat(peer: SessionPeer): void {
    const epoch = peer.group?.epoch ?? noEpoch;
    const id = randomMessageId(this.context.crypto);
    this.send(peer.name, messageType.heartbeat, { id, command: { heartbeat: { epoch } } });
  }

  #lost(messageId: number): void {
    for (const listener of this.#lostListeners) listener(messageId);
  }

  get #knownPeer(): SessionPeer {
    const state = this.#state;
    if (state.kind === 'opening' || !state.peer) {
      throw new SlimError('session-closed', 'the session was never established');
    }
    return state.peer;
  }

  #active(): Extract<State, { kind: 'active' }> {
    const state = this.#state;
    if (state.kind === 'active') return state;
    throw state.kind === 'ended'
      ? state.reason
      : new SlimError('session-closed', 'the session is not established yet');
  }

  #endReason(): SlimError {
    return this.#state.kind === 'ended'
      ? this.#state.reason
      : new SlimError('session-closed', 'the session is closed');
  }
}

/** What a heartbeat carries in a session without MLS (reference: sessions 9). */
const noEpoch = 2n ** 64n - 1n;
