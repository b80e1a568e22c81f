import { SlimError, type SlimName } from '@nestjs-slim/core';
import { ClientSession } from './client-session.js';
import type { SlimConnection } from './slim-connection.js';

/** The sessions of one client: one for each name it calls, opened by the first call and kept while it lasts. */
export class ClientSessions {
  private readonly connection: SlimConnection;
  private readonly byName = new Map<string, Promise<ClientSession>>();
  private readonly abortion = new AbortController();

  constructor(connection: SlimConnection) {
    this.connection = connection;
  }

  /**
   * The session with whoever answers to a name; with an instance id in it, with that instance.
   * @throws SlimError as `SlimConnection.connect` and `SlimApp.openSession`; nothing that failed is kept
   */
  to(target: SlimName): Promise<ClientSession> {
    const name = String(target);
    const known = this.byName.get(name);
    if (known) return known;
    const opening = this.open(target);
    this.byName.set(name, opening);
    const forget = (): void => {
      if (this.byName.get(name) === opening) this.byName.delete(name);
    };
    opening.then((session) => session.unusable).then(forget, forget);
    return opening;
  }

  /** Ends every session and every attempt to open one. */
  async close(): Promise<void> {
    this.abortion.abort(closed());
    const sessions = await Promise.allSettled(this.byName.values());
    await Promise.all(
      sessions.map(async (session) => {
        if (session.status === 'fulfilled') await session.value.close();
      }),
    );
  }

  private async open(target: SlimName): Promise<ClientSession> {
    const app = await this.connection.connect();
    const { signal } = this.abortion;
    if (signal.aborted) throw closed();
    const { mls, reliable, discoveryMs } = this.connection.settings;
    const session = await app.openSession(target, { mls, reliable, discoveryMs, signal });
    return new ClientSession(session, (reason) => this.connection.events.emit('dropped', reason));
  }
}

function closed(): SlimError {
  return new SlimError('aborted', 'the client is closed');
}
