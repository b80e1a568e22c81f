import { SlimError, type Session } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import { ServedSession, type SessionHost } from './served-session.js';
import type { SlimConnection } from '../slim-connection.js';
import { settledWithin } from '../time-limit.js';

/** How sessions are accepted. */
export interface ServingOptions {
  readonly connection: SlimConnection;
  readonly host: SessionHost;
  /** Names besides the connection's own under which sessions are accepted. */
  readonly aliases: readonly string[];
}

/** What a server does from one `listen` to the next `close`: accepts sessions and, at the end, drains them. */
export class Serving {
  isOpen = true;
  private readonly options: ServingOptions;
  private readonly sessions = new Set<ServedSession>();
  private app: SlimApp | undefined;
  private release: () => void = () => undefined;

  constructor(options: ServingOptions) {
    this.options = options;
  }

  /** @throws SlimError as `SlimConnection.connect`, and `invalid-config` when another server serves */
  async start(): Promise<void> {
    const { connection, aliases } = this.options;
    const app = await connection.connect();
    this.checkOpen();
    this.release = connection.serve((session) => this.accept(session));
    this.app = app;
    await Promise.all(aliases.map((name) => app.subscribe(name)));
    this.checkOpen();
  }

  /** Refuses requests, waits for what is at work, then ends every session. */
  async stop(): Promise<void> {
    this.isOpen = false;
    this.release();
    await this.drained();
    const served = [...this.sessions];
    const reason = new SlimError('session-closed', 'the service is closed');
    await Promise.all(served.map((session) => session.close(reason)));
    // Events that came before the good-bye were acknowledged.
    await this.drained(served);
    this.unsubscribe();
  }

  private checkOpen(): void {
    if (!this.isOpen) throw new SlimError('aborted', 'closed while starting');
  }

  private accept(session: Session): void {
    const served = new ServedSession(session, this.options.host);
    this.sessions.add(served);
    void served.run().then(() => this.sessions.delete(served));
  }

  private drained(sessions: Iterable<ServedSession> = this.sessions): Promise<void> {
    const { clock, drainMs } = this.options.connection.settings;
    return settledWithin(clock, drainMs, allIdle(sessions));
  }

  /** Not awaited: without a link nobody confirms it, and nobody waits for it. */
  private unsubscribe(): void {
    for (const name of this.options.aliases) {
      this.app?.unsubscribe(name).catch(() => undefined);
    }
  }
}

/** Settles when no call of any of them is at work. While one is waited for, another may begin an event. */
async function allIdle(sessions: Iterable<ServedSession>): Promise<void> {
  for (;;) {
    const busy = [...sessions].filter(({ isIdle }) => !isIdle);
    if (busy.length === 0) return;
    await Promise.all(busy.map((session) => session.idle()));
  }
}
