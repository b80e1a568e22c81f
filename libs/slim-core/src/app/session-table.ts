import { SlimError } from '../errors/slim-error.js';
import type { BaseSession } from '../session/base-session.js';
import { ChannelMemory } from '../session/channel-memory.js';
import { Discovery } from '../session/discovery.js';

/** Sessions that ended lately, whose peer may not have heard our good-bye. */
const maxRecentSessions = 1_024;

/** The sessions of one application by their id, up to a limit, and what is remembered of those before. */
export class SessionTable {
  readonly #maxSessions: number;
  readonly #sessions = new Map<number, BaseSession>();
  readonly #recent = new Map<number, ChannelMemory>();
  /** They end by themselves and hold nothing, so they do not count. */
  #searches = 0;

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  [Symbol.iterator](): IterableIterator<BaseSession> {
    return this.#sessions.values();
  }

  get(id: number): BaseSession | undefined {
    return this.#sessions.get(id);
  }

  has(id: number): boolean {
    return this.#sessions.has(id);
  }

  /** @throws SlimError `backpressure` while there are as many sessions as there may be */
  assertRoom(): void {
    if (this.#sessions.size - this.#searches < this.#maxSessions) return;
    throw new SlimError(
      'backpressure',
      `this application has ${this.#maxSessions} sessions, as many as maxSessions lets it have`,
    );
  }

  add<Added extends BaseSession>(session: Added): Added {
    this.#sessions.set(session.id, session);
    if (session instanceof Discovery) this.#searches += 1;
    return session;
  }

  /** Takes a session out that is over. */
  remove(session: BaseSession): void {
    const { id } = session;
    const isSearch = session instanceof Discovery;
    if (this.#sessions.get(id) === session && this.#sessions.delete(id) && isSearch) {
      this.#searches -= 1;
    }
    // Nobody says good-bye to a search.
    if (isSearch) return;
    this.#recent.delete(id);
    this.#recent.set(id, session.setup.memory ?? new ChannelMemory());
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > maxRecentSessions && oldest !== undefined) this.#recent.delete(oldest);
  }

  /** What is remembered of a session that is over. */
  memoryOf(id: number): ChannelMemory | undefined {
    return this.#recent.get(id);
  }
}
