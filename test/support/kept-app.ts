import { fileURLToPath } from 'node:url';
import { CommandProcess } from './command-process.js';
import type { NativeSessionOptions } from './native-peer.js';
import type { Party, PartyOptions } from './party.js';

const program = fileURLToPath(new URL('../e2e/kept-app.mjs', import.meta.url));
const answerMs = 20_000;

export interface KeptSession {
  readonly id: number;
  readonly kind: 'session' | 'channel';
  readonly mls: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where an application connects and what it keeps. */
export interface KeptOptions extends PartyOptions {
  /** The file of its store. */
  readonly path: string;
}

/** An application of ours in a process of its own, which can be killed and started again. */
export class KeptApp implements Party {
  readonly #options: KeptOptions;
  #process: CommandProcess;
  #session: KeptSession | undefined;
  /** With the id of the instance. */
  fullName = '';
  restored: readonly KeptSession[] = [];

  static async start(options: KeptOptions): Promise<KeptApp> {
    const app = new KeptApp(options);
    await app.#connect();
    return app;
  }

  private constructor(options: KeptOptions) {
    this.#options = options;
    this.#process = new CommandProcess(program);
  }

  get name(): string {
    return this.#options.name;
  }

  get session(): KeptSession {
    if (this.#session) return this.#session;
    throw new Error(`${this.name} has no session`);
  }

  /** Killed without warning, and started again with what it kept; its only session goes on. */
  async restart(): Promise<void> {
    await this.kill();
    this.#process = new CommandProcess(program);
    await this.#connect();
    [this.#session] = this.restored;
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  async open(target: string, options: NativeSessionOptions): Promise<void> {
    this.#session = await this.call('open', { target, ...options });
  }

  async create(channel: string, options: NativeSessionOptions): Promise<void> {
    this.#session = await this.call('create', { channel, ...options });
  }

  async accept(): Promise<void> {
    this.#session = await this.call('accept');
  }

  async invite(name: string): Promise<void> {
    await this.call('invite', { id: this.session.id, name });
  }

  async remove(name: string): Promise<void> {
    await this.call('remove', { id: this.session.id, name });
  }

  async publish(count: number, prefix: string): Promise<void> {
    await this.call('publish', { id: this.session.id, count, prefix });
  }

  /** Publishes until it is killed. */
  async flood(prefix: string): Promise<void> {
    await this.call('flood', { id: this.session.id, prefix });
  }

  async receive(count: number): Promise<readonly string[]> {
    type Answer = { readonly texts: readonly string[] };
    return (await this.call<Answer>('receive', { id: this.session.id, count })).texts;
  }

  async online(): Promise<readonly string[]> {
    type Answer = { readonly names: readonly string[] };
    return (await this.call<Answer>('online', { id: this.session.id })).names;
  }

  goOffline(): Promise<void> {
    return Promise.reject(new Error('not an operation of this program'));
  }

  comeBack(): Promise<void> {
    return this.goOffline();
  }

  async close(): Promise<void> {
    await this.call('close', { id: this.session.id });
  }

  async ended(): Promise<void> {
    const { code } = await this.call<{ readonly code?: string }>('ended', { id: this.session.id });
    if (code !== 'session-closed') throw new Error(`ended by ${String(code)}`);
  }

  /** Closes the application in order; its session is left for the next start. */
  async end(): Promise<void> {
    await this.call('end');
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  /** Any operation of kept-app.mjs. */
  async call<T>(op: string, args: object = {}): Promise<T> {
    const reply = (await this.#process.call(op, { args }, answerMs)) as { readonly answer?: T };
    return reply.answer as T;
  }

  async #connect(): Promise<void> {
    const { url: node, name, secret, path } = this.#options;
    type Answer = { readonly name: string; readonly sessions: readonly KeptSession[] };
    const answer = await this.call<Answer>('connect', { node, name, secret, path });
    this.fullName = answer.name;
    this.restored = answer.sessions;
  }
}
