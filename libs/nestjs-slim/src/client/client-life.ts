import { SlimError, type Session, type SlimName } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { SlimConnection } from '../slim-connection.js';
import type { Delivery } from './delivery.js';

/** A client from one `close` to the next: what it opens is opened before its end, or not at all. */
export class ClientLife {
  readonly connection: SlimConnection;
  private readonly abortion = new AbortController();

  constructor(connection: SlimConnection) {
    this.connection = connection;
  }

  get isOver(): boolean {
    return this.signal.aborted;
  }

  /** Aborted when the client is closed. */
  get signal(): AbortSignal {
    return this.abortion.signal;
  }

  /** @throws SlimError `aborted` when the client is closed by then, and as `SlimConnection.connect` */
  async app(): Promise<SlimApp> {
    const app = await this.connection.connect();
    if (this.isOver) throw closed();
    return app;
  }

  /** Whoever answers now. @throws SlimError as `app` and `SlimApp.discover` */
  async discover(target: SlimName): Promise<SlimName> {
    const app = await this.app();
    const { discoveryMs } = this.connection.settings;
    return app.discover(target, { discoveryMs, signal: this.signal });
  }

  /** A session that listeners hear of. @throws SlimError as `app` and `SlimApp.openSession` */
  async openSession(target: SlimName, { mls, reliable }: Delivery): Promise<Session> {
    const app = await this.app();
    const { discoveryMs } = this.connection.settings;
    const { signal } = this;
    const session = await app.openSession(target, { mls, reliable, discoveryMs, signal });
    this.connection.announce(session);
    if (!this.isOver) return session;
    // Closed in the moment in which it was there already, and nobody had it yet.
    void session.close();
    throw closed();
  }

  end(): void {
    this.abortion.abort(closed());
  }
}

function closed(): SlimError {
  return new SlimError('aborted', 'the client is closed');
}
