import type { Identity, IdentityPair, IdentitySource } from '../auth/identity.js';
import { systemClock, type Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { LinkDialler } from '../link/link.js';
import { cipherSuite } from '../mls/cipher-suite.js';
import { loadNameHash } from '../names/name-hash.js';
import { applicationId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import { verifySender } from '../session/checks.js';
import { Composer } from '../session/composer.js';
import { toIncoming, type Incoming } from '../session/incoming.js';
import { Initiator } from '../session/initiator.js';
import type { SessionSetup } from '../session/base-session.js';
import { PointToPointSession } from '../session/point-to-point.js';
import { Responder } from '../session/responder.js';
import { randomSessionId, type SessionContext } from '../session/session-context.js';
import { defaultSessionPolicy, type SessionPolicy } from '../session/session-policy.js';
import type { Metadata, Session } from '../session/session.js';
import { Unread } from '../session/unread.js';
import type { Frame } from '../wire/frame.js';
import { messageType, sessionType, type MessageType } from '../wire/session-header.js';
import { WireName } from '../wire/wire-name.js';
import { defaultBackoff, type BackoffPolicy } from './backoff.js';
import { Emitter } from './emitter.js';
import { Subscriptions } from './subscriptions.js';
import { Uplink, type LinkStatus } from './uplink.js';

/** What an application is made from. */
export interface SlimAppOptions {
  /** `org/namespace/service`; an id in it is ignored, the identity gives it. */
  readonly name: SlimName | string;
  readonly identity: IdentitySource;
  readonly crypto: Crypto;
  /** The nodes to connect to, tried in turn. */
  readonly diallers: readonly LinkDialler[];
  /** The diallers reach a node in this process. */
  readonly local?: boolean;
  readonly clock?: Clock;
  readonly sessions?: Partial<SessionPolicy>;
  readonly backoff?: BackoffPolicy;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** How a session is opened. */
export interface OpenSessionOptions {
  /** End-to-end encryption; on unless turned off. */
  readonly mls?: boolean;
  /** Acknowledged, repeated, ordered; on unless turned off. */
  readonly reliable?: boolean;
  /** Between transmissions, and how many after the first; both sides follow. */
  readonly intervalMs?: number;
  readonly maxRetries?: number;
  /** How long to look for somebody who answers; 2,000 ms unless given. */
  readonly discoveryMs?: number;
  /** Shown to the other side. Not encrypted. */
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
}

/** What an application tells whoever listens. */
export interface SlimAppEvents {
  /** The link to the node changed; `reason` says why one was lost. */
  status: { readonly status: LinkStatus; readonly reason: SlimError | undefined };
  /** Something received was refused; nothing else is lost. For logs and counters. */
  dropped: SlimError;
}

const defaultDiscoveryMs = 2_000;
/** Sessions that were opened to us and nobody took yet. */
const maxPendingSessions = 1_024;
/** Sessions that ended lately, whose peer may not have heard our good-bye. */
const maxRecentSessions = 1_024;

/** An application on a SLIM network: a name, an identity, one link, and sessions over it. */
export class SlimApp {
  /** The full name, with the id that the identity gives. */
  readonly name: SlimName;
  readonly #own: WireName;
  readonly #uplink: Uplink;
  readonly #subscriptions: Subscriptions;
  readonly #context: SessionContext;
  readonly #sessions = new Map<number, PointToPointSession>();
  readonly #recent = new Set<number>();
  readonly #incoming = new Unread<Session>();
  readonly #events = new Emitter<SlimAppEvents>();
  #status: LinkStatus = 'reconnecting';
  #closing: Promise<void> | undefined;

  private constructor(
    options: SlimAppOptions,
    name: SlimName,
    identity: IdentityPair,
    suite: Awaited<ReturnType<typeof cipherSuite>>,
  ) {
    const { crypto, clock = systemClock, diallers, local = false } = options;
    const { provider, verifier } = identity;
    this.name = name.withId(applicationId(provider.tokenId));
    this.#own = WireName.of(this.name);
    const linkId = randomUuid(crypto);
    this.#uplink = new Uplink(
      {
        crypto,
        clock,
        diallers,
        local,
        linkId,
        nodeId: `node-${linkId}`,
        backoff: options.backoff ?? defaultBackoff,
      },
      {
        received: (message) => this.#received(message),
        dropped: (reason) => this.#events.emit('dropped', reason),
        status: (status, reason) => this.#statusChanged(status, reason),
      },
    );
    const send = (message: Frame): void => this.#uplink.send(message);
    const newId = (): bigint => randomSubscriptionId(crypto);
    const token = (): string => provider.token();
    this.#subscriptions = new Subscriptions({ clock, newId, token, send }, this.#own);
    const uplink = this.#uplink;
    this.#context = {
      clock,
      crypto,
      provider,
      verifier,
      composer: new Composer(provider, crypto),
      mls: { crypto, clock, suite, verifier, keys: provider.keys },
      policy: { ...defaultSessionPolicy, ...options.sessions },
      send,
      whenWritable: (signal) => uplink.whenWritable(signal),
      get isConnected() {
        return uplink.isConnected;
      },
      get isWritable() {
        return uplink.isWritable;
      },
    };
  }

  /**
   * Connects to a node and subscribes the own name.
   * @throws SlimError `invalid-name`, `invalid-config`, `link-failed`, `negotiation-failed`, `aborted`
   */
  static async connect(options: SlimAppOptions): Promise<SlimApp> {
    const name = SlimName.from(options.name);
    await loadNameHash();
    const { crypto, clock = systemClock } = options;
    const identity = options.identity({ name, crypto, clock });
    const app = new SlimApp(options, name, identity, await cipherSuite(crypto));
    try {
      await app.#uplink.connect(options.signal);
      await app.#subscriptions.add(app.#own);
    } catch (reason) {
      await app.close();
      throw reason;
    }
    return app;
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /** Returns how to stop listening. */
  on<Name extends keyof SlimAppEvents>(
    name: Name,
    listener: (payload: SlimAppEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Opens a session with whoever answers to a name; with an instance id in it, with that instance.
   * @throws SlimError `no-route` when nobody does, `timeout`, `mls-failure`, `identity-rejected`, `aborted`
   */
  async openSession(target: SlimName | string, options: OpenSessionOptions = {}): Promise<Session> {
    if (this.#closing) throw new SlimError('link-closed', 'the application is closed');
    const { mls = true, reliable = true, discoveryMs = defaultDiscoveryMs, signal } = options;
    const name = WireName.of(SlimName.from(target));
    const { intervalMs, maxRetries, metadata = {} } = options;
    const policy = withTimers(this.#context.policy, intervalMs, maxRetries);
    const session = this.#addSession({
      id: this.#freeSessionId(),
      source: this.#own,
      mls,
      reliable,
      policy,
      metadata,
    });
    try {
      await new Initiator(session).invite(name, { discoveryMs, signal });
    } catch (reason) {
      session.finish(SlimError.from(reason, 'mls-failure'));
      throw reason;
    }
    return session;
  }

  /** Sessions that others open to this application, each given to one reader. Ends with the application. */
  sessions(): AsyncIterable<Session> {
    return this.#incoming;
  }

  /**
   * Receives sessions for another name too. It stays subscribed when the link is dialled again.
   * @throws SlimError `invalid-name`, `timeout`, `link-closed`, `link-failed`
   */
  async subscribe(name: SlimName | string): Promise<void> {
    await this.#subscriptions.add(this.#alias(name));
  }

  /** Stops receiving under that name: closes the sessions opened to it, then gives it up. */
  async unsubscribe(name: SlimName | string): Promise<void> {
    const alias = this.#alias(name);
    const opened = [...this.#sessions.values()].filter(({ setup }) => setup.source.equals(alias));
    await Promise.all(opened.map((session) => session.close()));
    await this.#subscriptions.remove(alias);
  }

  /** Closes every session in order, then the link. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    this.#incoming.end();
    this.#subscriptions.interrupt();
    await this.#uplink.close();
  }

  #alias(name: SlimName | string): WireName {
    return WireName.of(SlimName.from(name).withId(this.name.id));
  }

  #freeSessionId(): number {
    for (;;) {
      const id = randomSessionId(this.#context.crypto);
      if (!this.#sessions.has(id)) return id;
    }
  }

  #addSession(setup: SessionSetup): PointToPointSession {
    const session = new PointToPointSession(this.#context, setup, {
      dropped: (reason) => this.#events.emit('dropped', reason),
      ended: ({ id }) => this.#forget(id),
    });
    this.#sessions.set(setup.id, session);
    return session;
  }

  #forget(id: number): void {
    this.#sessions.delete(id);
    this.#recent.add(id);
    const [oldest] = this.#recent;
    if (this.#recent.size > maxRecentSessions && oldest !== undefined) this.#recent.delete(oldest);
  }

  #statusChanged(status: LinkStatus, reason: SlimError | undefined): void {
    this.#status = status;
    if (status === 'reconnecting') this.#subscriptions.interrupt();
    if (status === 'connected') {
      this.#subscriptions.renew().catch((error: unknown) => {
        this.#events.emit('dropped', SlimError.from(error, 'link-failed', 'subscribing again'));
      });
    }
    this.#events.emit('status', { status, reason });
  }

  #received(message: Frame): void {
    if (message.subscriptionAck) return this.#subscriptions.acknowledged(message.subscriptionAck);
    const incoming = toIncoming(message);
    if (!incoming) return undefined;
    const session = this.#sessions.get(incoming.session.sessionId);
    if (session) return session.receive(incoming);
    return this.#unknownSession(incoming);
  }

  /** The first message of a session that another application opens, or the last of one that is over. */
  #unknownSession(incoming: Incoming): void {
    if (!isOpening(incoming.session.messageType) && !this.#isFarewell(incoming)) return;
    if (!this.#subscriptions.owns(incoming.destination) || this.#closing) return;
    const { verifier, crypto } = this.#context;
    const identity = verifySender(verifier, crypto, incoming);
    if (!(identity instanceof Promise)) return this.#knownSender(incoming, identity);
    identity
      .then((known) => this.#knownSender(incoming, known))
      .catch((reason: unknown) => {
        this.#events.emit('dropped', SlimError.from(reason, 'identity-rejected'));
      });
  }

  #knownSender(incoming: Incoming, identity: Identity): void {
    switch (incoming.session.messageType) {
      case messageType.discoveryRequest:
        return this.#answer(incoming, messageType.discoveryReply, { discoveryReply: {} });
      case messageType.joinRequest:
        return this.#invited(incoming, identity);
      case messageType.groupClose:
        return this.#answer(incoming, messageType.groupAck, { groupAck: {} });
      case messageType.leaveRequest:
        return this.#answer(incoming, messageType.leaveReply, { leaveReply: {} });
      default:
    }
  }

  #isFarewell({ session }: Incoming): boolean {
    const { messageType: type, sessionId } = session;
    const isLast = type === messageType.groupClose || type === messageType.leaveRequest;
    return isLast && this.#recent.has(sessionId);
  }

  #invited(incoming: Incoming, identity: Identity): void {
    const { session, destination, metadata, command } = incoming;
    const request = command?.joinRequest;
    if (!request) throw new SlimError('malformed-frame', 'an invitation has no content');
    if (session.sessionType !== sessionType.pointToPoint) {
      throw new SlimError(
        'malformed-frame',
        `cannot join a session of type ${session.sessionType}`,
      );
    }
    if (destination.id !== this.name.id) return;
    if (this.#incoming.size >= maxPendingSessions) {
      throw new SlimError('backpressure', `${maxPendingSessions} sessions wait to be accepted`);
    }
    const { timeoutMs, maxRetries } = request.timers ?? {};
    const joined = this.#addSession({
      id: session.sessionId,
      source: destination,
      mls: request.mls !== undefined,
      reliable: request.timers !== undefined,
      policy: withTimers(this.#context.policy, timeoutMs, maxRetries),
      metadata: Object.fromEntries(metadata),
    });
    new Responder(joined, incoming, identity, () => this.#incoming.push(joined));
    joined.receive(incoming);
  }

  /** Answers a control message that belongs to no session here. */
  #answer(
    { source, destination, session }: Incoming,
    type: MessageType,
    command: Parameters<Composer['control']>[1],
  ): void {
    const own = destination.withId(this.name.id);
    const address = {
      source: own,
      destination: source,
      session: { ...session, messageType: type },
    };
    this.#uplink.send(this.#context.composer.control(address, command));
  }
}

const isOpening = (type: number): boolean =>
  type === messageType.discoveryRequest || type === messageType.joinRequest;

function withTimers(
  policy: SessionPolicy,
  intervalMs: number | undefined,
  maxRetries: number | undefined,
): SessionPolicy {
  return {
    ...policy,
    intervalMs: intervalMs ?? policy.intervalMs,
    maxRetries: maxRetries ?? policy.maxRetries,
  };
}

function randomUuid(crypto: Crypto): string {
  const bytes = crypto.random(16).slice();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Never 0, which means that no acknowledgement is wanted. */
function randomSubscriptionId(crypto: Crypto): bigint {
  return new DataView(crypto.random(8).slice().buffer).getBigUint64(0) || 1n;
}
