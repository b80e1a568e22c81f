import type { IdentityContext, IdentityPair, IdentitySource } from '../auth/identity.js';
import { systemClock, type Clock } from '../clock/clock.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import type { LinkDialler } from '../link/link.js';
import { cipherSuite } from '../mls/cipher-suite.js';
import { loadNameHash } from '../names/name-hash.js';
import { applicationId } from '../names/name-id.js';
import { SlimName } from '../names/slim-name.js';
import type { Channel } from '../session/channel.js';
import { Composer } from '../session/composer.js';
import { Emitter } from '../events/emitter.js';
import { toIncoming } from '../session/incoming.js';
import type { SessionContext } from '../session/session-context.js';
import { defaultSessionPolicy, type SessionPolicy } from '../session/session-policy.js';
import type { Session } from '../session/session.js';
import type { StateStoreSource } from '../store/state-store.js';
import type { Frame } from '../wire/frame.js';
import { WireName } from '../wire/wire-name.js';
import { defaultBackoff, type BackoffPolicy } from '../link/backoff.js';
import type {
  Direction,
  DiscoverOptions,
  InvitationPolicy,
  OpenSessionOptions,
} from './session-options.js';
import { KeptState } from './kept-state.js';
import { SessionKeeper } from './session-keeper.js';
import { Sessions } from './sessions.js';
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
  /** Decides on invitations; all are accepted unless given. */
  readonly accept?: InvitationPolicy;
  /** Which way messages flow in channels; both unless given. */
  readonly direction?: Direction;
  readonly backoff?: BackoffPolicy;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
  /**
   * Where identity and sessions survive a restart: see `restored`. Closing the application then leaves its
   * sessions as they are for the next start; a session ends when it is closed itself.
   */
  readonly store?: StateStoreSource | undefined;
}

/** What an application tells whoever listens. */
export interface SlimAppEvents {
  /** The link to the node changed; `reason` says why one was lost. */
  status: { readonly status: LinkStatus; readonly reason: SlimError | undefined };
  /** Something received was refused; nothing else is lost. For logs and counters. */
  dropped: SlimError;
}

type Suite = Awaited<ReturnType<typeof cipherSuite>>;

/** An application on a SLIM network: a name, an identity, one link, and sessions over it. */
export class SlimApp {
  /** The full name, with the id that the identity gives. */
  readonly name: SlimName;
  readonly #own: WireName;
  readonly #uplink: Uplink;
  readonly #subscriptions: Subscriptions;
  readonly #context: SessionContext;
  readonly #sessions: Sessions;
  readonly #events = new Emitter<SlimAppEvents>();
  readonly #kept: KeptState | undefined;
  #restored: readonly (Session | Channel)[] = [];
  #status: LinkStatus = 'reconnecting';
  #closing: Promise<void> | undefined;

  private constructor(
    options: SlimAppOptions,
    name: SlimName,
    identity: IdentityPair,
    { suite, kept }: { readonly suite: Suite; readonly kept: KeptState | undefined },
  ) {
    const { crypto, clock = systemClock, diallers, local = false } = options;
    const { provider } = identity;
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
    this.#context = this.#makeContext(options, identity, suite);
    this.#kept = kept;
    const dropped = (reason: SlimError): void => this.#events.emit('dropped', reason);
    this.#sessions = new Sessions({
      context: this.#context,
      own: this.#own,
      accept: options.accept ?? (() => true),
      direction: options.direction ?? 'both',
      owns: (target) => this.#subscriptions.owns(target),
      dropped,
      keeper: kept && new SessionKeeper(kept.store, dropped),
    });
  }

  /**
   * Connects to a node and subscribes the own name; with a store, takes up what was kept.
   * @throws SlimError `invalid-name`, `invalid-config`, `store-failed`, `link-failed`,
   * `negotiation-failed`, `refused` by the node, `aborted`
   */
  static async connect(options: SlimAppOptions): Promise<SlimApp> {
    const name = SlimName.from(options.name);
    await loadNameHash();
    const { crypto, clock = systemClock } = options;
    const suite = cipherSuite(crypto);
    const kept = options.store && (await KeptState.open(options.store, crypto, name));
    const identity = await identify(options, { name, crypto, clock }, kept);
    const app = new SlimApp(options, name, identity, { suite, kept });
    try {
      if (kept) app.#restored = await app.#sessions.restore(kept.take());
      await app.#uplink.connect(options.signal);
      await app.#subscriptions.add(app.#own);
      if (kept) await app.#sessions.rejoin((alias) => app.#subscriptions.add(alias));
    } catch (reason) {
      await app.close();
      throw reason;
    }
    return app;
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /**
   * Whether others who look for its names find this application. Turn it off before closing, so that a
   * caller finds another instance; sessions that exist go on.
   */
  get discoverable(): boolean {
    return this.#sessions.discoverable;
  }

  set discoverable(discoverable: boolean) {
    this.#sessions.discoverable = discoverable;
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
   * @throws SlimError `no-route` when nobody does, `timeout`, `mls-failure`, `identity-rejected`, `aborted`,
   * `backpressure` beyond `maxSessions`
   */
  async openSession(target: SlimName | string, options: OpenSessionOptions = {}): Promise<Session> {
    if (this.#closing) throw new SlimError('link-closed', 'the application is closed');
    return this.#sessions.open(this.#context.toWireName(target), options);
  }

  /**
   * One of the instances that answer to a name now, found by anycast; no session comes of it.
   * @throws SlimError `no-route` when nobody does, `invalid-name`, `aborted`, `link-closed`
   */
  async discover(target: SlimName | string, options: DiscoverOptions = {}): Promise<SlimName> {
    if (this.#closing) throw new SlimError('link-closed', 'the application is closed');
    return this.#sessions.discover(this.#context.toWireName(target), options);
  }

  /**
   * Every instance that answers to a name, each once and as it answers, until the time for discovery is
   * over or the reader stops. Reading throws `aborted`, `invalid-name`, `link-closed`.
   */
  async *instances(
    target: SlimName | string,
    options: DiscoverOptions = {},
  ): AsyncIterable<SlimName> {
    if (this.#closing) throw new SlimError('link-closed', 'the application is closed');
    yield* this.#sessions.instances(this.#context.toWireName(target), options);
  }

  /**
   * Creates a channel that this application moderates. Nobody is in it yet.
   * @throws SlimError `invalid-name`, `timeout`, `link-closed`, `mls-failure`, `backpressure` beyond `maxSessions`
   */
  async createChannel(name: SlimName | string, options: OpenSessionOptions = {}): Promise<Channel> {
    if (this.#closing) throw new SlimError('link-closed', 'the application is closed');
    return this.#sessions.createChannel(SlimName.from(name), options);
  }

  /**
   * Sessions that others open to this application and channels it is invited to, told apart by `kind`,
   * each given to one reader. Ends with the application.
   */
  sessions(): AsyncIterable<Session | Channel> {
    return this.#sessions.incoming;
  }

  /**
   * Sessions and channels of before the last restart, which go on, the newest of the channels that this side
   * moderates first; none without a store.
   */
  get restored(): readonly (Session | Channel)[] {
    return this.#restored;
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
    await this.#sessions.close(alias);
    await this.#subscriptions.remove(alias);
  }

  /** Closes every session in order, but for those that are kept, then the link. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#sessions.end();
    this.#sessions.incoming.end();
    this.#subscriptions.interrupt();
    await this.#uplink.close();
    this.#context.provider.close?.();
    await this.#kept?.store.close();
  }

  #alias(name: SlimName | string): WireName {
    return WireName.of(SlimName.from(name).withId(this.name.id));
  }

  /** What every session needs of this application. */
  #makeContext(
    { crypto, clock = systemClock, sessions }: SlimAppOptions,
    { provider, verifier }: IdentityPair,
    suite: Suite,
  ): SessionContext {
    const uplink = this.#uplink;
    return {
      clock,
      crypto,
      provider,
      verifier,
      composer: new Composer(provider, crypto),
      mls: { crypto, clock, suite, verifier, keys: provider.keys },
      policy: { ...defaultSessionPolicy, ...sessions },
      send: (message) => uplink.send(message),
      toWireName: (target) => WireName.of(SlimName.from(target)),
      subscribe: (channel) => this.#subscriptions.add(channel, 'channel'),
      unsubscribe: (channel) => this.#subscriptions.remove(channel),
      whenWritable: (signal) => uplink.whenWritable(signal),
      get isConnected() {
        return uplink.isConnected;
      },
      get isWritable() {
        return uplink.isWritable;
      },
    };
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
    return this.#sessions.receive(incoming);
  }
}

/** The identity, which is that of before where it was kept. */
async function identify(
  { identity: source }: SlimAppOptions,
  context: IdentityContext,
  kept: KeptState | undefined,
): Promise<IdentityPair> {
  if (!kept) return source(context);
  let identity: IdentityPair | undefined;
  try {
    identity = await source({ ...context, recall: kept.recall });
    kept.confirm(identity.provider);
    return identity;
  } catch (reason) {
    identity?.provider.close?.();
    await kept.store.close();
    throw reason;
  }
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
