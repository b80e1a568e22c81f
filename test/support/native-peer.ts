import { fileURLToPath } from 'node:url';
import { CommandProcess } from './command-process.js';

const PROGRAM = fileURLToPath(new URL('../interop/native-peer.mjs', import.meta.url));

// More than the 11 s after which the official peer gives up a request nobody answers.
const ANSWER_MS = 20_000;

/** A name as the official peer reports it; `id` is 32 hex digits and absent for "any instance". */
export interface NativeName {
  readonly name: string;
  readonly id?: string;
}

export interface NativeSession {
  /** What the peer that has this session calls it. */
  readonly session: string;
  readonly sessionId: number;
  readonly type: 'p2p' | 'group';
  readonly initiator: boolean;
  readonly source: NativeName;
  readonly destination: NativeName;
  readonly metadata: Readonly<Record<string, string>>;
  readonly mls: boolean;
  readonly reliable: boolean;
}

export interface NativeMessage {
  readonly text: string;
  readonly hex: string;
  readonly payloadType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly source: NativeName;
  readonly destination?: NativeName;
  /** The sender's identity token, as it stood in the message. */
  readonly identity: string;
}

export interface NativeParticipant extends NativeName {
  readonly online: boolean;
}

export interface NativeJwt {
  readonly subject: string;
  readonly issuer?: string;
  readonly audience?: readonly string[];
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  /** As the bindings spell it; `Es256` when absent. */
  readonly algorithm?: string;
}

export interface NativeAppOptions {
  readonly name: string;
  readonly secret?: string;
  /** The part of a shared-secret token id before its random suffix; the name when absent. */
  readonly identityId?: string;
  /** Takes the place of the secret. */
  readonly jwt?: NativeJwt;
  /** Takes the place of the secret. */
  readonly spire?: NativeSpire;
  readonly direction?: 'Send' | 'Recv' | 'Bidirectional' | 'None';
  /** Keeps identity and sessions under this path, for `restore` in a later process. */
  readonly persistence?: { readonly path: string; readonly passphrase?: string };
}

/** Tokens of the SPIFFE Workload API at a socket. */
export interface NativeSpire {
  readonly socketPath: string;
  readonly audience: readonly string[];
}

/** Who may connect to an official node. */
export type NativeServerAuth =
  | (NativeSpire & { readonly type: 'spire' })
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly type: 'jwt';
      /** A PEM, or the text of a JWK or JWKS when `format` says so, or the secret for HS algorithms. */
      readonly key: string;
      readonly format?: 'Pem' | 'Jwk' | 'Jwks';
      /** As the bindings spell it, such as `Es256`. */
      readonly algorithm: string;
      readonly issuer?: string;
      readonly audience?: readonly string[];
    };

export interface NativeNodeOptions {
  readonly strict?: boolean;
  readonly auth?: NativeServerAuth;
}

/** With MLS, header integrity is checked on every message. */
export interface NativeSessionOptions {
  readonly mls?: boolean;
  readonly reliable?: boolean;
  readonly intervalMs?: number;
  readonly maxRetries?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface NativePublishOptions {
  readonly payloadType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Wait for the acknowledgements; in an unreliable session there are none to wait for. */
  readonly wait?: boolean;
  /** Publish only to the sender of the message received last. */
  readonly toSender?: boolean;
}

/** `errors` are those the session reported between messages, such as a message lost for good. */
export interface NativeReceived {
  readonly messages: readonly NativeMessage[];
  readonly errors: readonly string[];
  readonly ended: 'count' | 'timeout' | 'closed';
}

export interface NativeEchoEnd {
  readonly count: number;
  /** What stopped the echo: "count", or the error of the session or the process. */
  readonly reason: string;
}

/** The official SLIM implementation in a process of its own: a routing node, or one app. */
export class NativePeer {
  readonly #process = new CommandProcess(PROGRAM);

  /** Rejects with the log of the process when the official package is missing or does not load. */
  static async start(): Promise<NativePeer> {
    const peer = new NativePeer();
    try {
      await peer.call('version');
      return peer;
    } catch (reason) {
      await peer.kill();
      throw reason;
    }
  }

  private constructor() {}

  /** The last lines the official implementation logged. */
  get log(): string {
    return this.#process.log;
  }

  /** Any operation of native-peer.mjs; `T` is what it answers. */
  async call<T>(op: string, args: object = {}, timeoutMs = ANSWER_MS): Promise<T> {
    return (await this.#process.call(op, args, timeoutMs)) as T;
  }

  /** Makes the process a routing node, which has to be its first task; returns the node's URL. */
  async startNode(port: number, options: NativeNodeOptions = {}): Promise<string> {
    return (await this.call<{ url: string }>('node', { port, ...options })).url;
  }

  /** Makes the process the routing node of an official configuration, which has to be its first task. */
  async startConfiguredNode(config: object): Promise<void> {
    await this.call('configuredNode', { config });
  }

  /** `config` is merged into the official client config (tls, auth, backoff, headers and so on). */
  async connect(url: string, config?: object): Promise<void> {
    await this.call('connect', { url, config });
  }

  async disconnect(): Promise<void> {
    await this.call('disconnect');
  }

  /** Creates the app of this process and subscribes its name on the connection. */
  async app(options: NativeAppOptions): Promise<NativeName> {
    return (await this.call<{ app: NativeName }>('app', options)).app;
  }

  async subscribe(name: string): Promise<void> {
    await this.call('subscribe', { name });
  }

  async unsubscribe(name: string): Promise<void> {
    await this.call('unsubscribe', { name });
  }

  /** The sessions that an app with persistence had when its process ended. */
  async restore(): Promise<readonly NativeSession[]> {
    return (await this.call<{ sessions: readonly NativeSession[] }>('restore')).sessions;
  }

  async open(peer: string, options: NativeSessionOptions = {}): Promise<NativeSession> {
    return this.call('open', { ...options, peer });
  }

  /** Waits until somebody opens a session to this app or invites it into a group. */
  async accept(timeoutMs = 10_000): Promise<NativeSession> {
    return this.call('accept', { timeoutMs }, timeoutMs + ANSWER_MS);
  }

  async createGroup(channel: string, options: NativeSessionOptions = {}): Promise<NativeSession> {
    return this.call('createGroup', { ...options, channel });
  }

  async invite({ session }: NativeSession, name: string): Promise<void> {
    await this.call('invite', { session, name });
  }

  async remove({ session }: NativeSession, name: string): Promise<void> {
    await this.call('remove', { session, name });
  }

  async participants({ session }: NativeSession): Promise<readonly NativeParticipant[]> {
    type Answer = { readonly participants: readonly NativeParticipant[] };
    return (await this.call<Answer>('participants', { session })).participants;
  }

  async rejoin({ session }: NativeSession): Promise<void> {
    await this.call('rejoin', { session });
  }

  async publish(
    { session }: NativeSession,
    content: string | Uint8Array,
    options: NativePublishOptions = {},
  ): Promise<void> {
    const body =
      typeof content === 'string'
        ? { text: content }
        : { hex: Buffer.from(content).toString('hex') };
    await this.call('publish', { ...options, session, ...body });
  }

  /** Publishes `prefix` followed by 0, 1, … in order; returns how long the process took. */
  async publishMany(
    { session }: NativeSession,
    count: number,
    prefix: string,
    options: NativePublishOptions = {},
  ): Promise<number> {
    const args = { ...options, session, count, prefix };
    return (await this.call<{ elapsedMs: number }>('publishMany', args, 60_000)).elapsedMs;
  }

  /** Exactly `count` messages; rejects when fewer came in time or the session reported an error. */
  async receive(
    session: NativeSession,
    count: number,
    timeoutMs = 10_000,
  ): Promise<readonly NativeMessage[]> {
    const { messages, errors, ended } = await this.receiveSome(session, count, timeoutMs);
    if (ended === 'count' && errors.length === 0) return messages;
    throw new Error(
      `received ${messages.length} of ${count} messages (${[ended, ...errors].join('; ')})`,
    );
  }

  /** Up to `count` messages, and how the wait for them ended. */
  async receiveSome(
    { session }: NativeSession,
    count: number,
    timeoutMs: number,
  ): Promise<NativeReceived> {
    return this.call('receive', { session, count, timeoutMs }, timeoutMs + ANSWER_MS);
  }

  /** Sends every message back from now on; settles when that ends, and never rejects. */
  async echo({ session }: NativeSession, count?: number): Promise<NativeEchoEnd> {
    try {
      return (await this.#process.call('echo', { session, count })) as NativeEchoEnd;
    } catch (reason) {
      return { count: 0, reason: String(reason) };
    }
  }

  /** Returns when the other side has confirmed or cannot be reached. `soft` leaves a group for now. */
  async close({ session }: NativeSession, { soft = false } = {}): Promise<void> {
    await this.call('close', { session, soft }, 90_000);
  }

  /** Ends the process; afterwards it is gone for certain. May be called twice. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Ends the process as a crash does: nothing is closed, nobody is told. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }
}
