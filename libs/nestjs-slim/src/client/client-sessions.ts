import { SlimError, type SlimName } from '@nestjs-slim/core';
import type { SlimApp } from '@nestjs-slim/platform-node';
import type { SlimConnection } from '../slim-connection.js';
import { ClientSession } from './client-session.js';
import type { Delivery } from './delivery.js';
import { InstanceShare } from './instance-share.js';

/** The sessions of one client: opened by the first call that needs them and kept while they last. */
export class ClientSessions {
  private readonly connection: SlimConnection;
  private readonly open = new Map<string, Promise<ClientSession>>();
  private readonly shares = new Map<string, InstanceShare<ClientSession>>();
  private readonly abortion = new AbortController();

  constructor(connection: SlimConnection) {
    this.connection = connection;
  }

  /**
   * A session with whoever answers to a name; with an instance id in it, with that instance.
   * @throws SlimError as `SlimConnection.connect` and `SlimApp.openSession`; nothing that failed is kept
   */
  to(target: SlimName, delivery: Delivery): Promise<ClientSession> {
    if (target.isInstance) return this.one(target, delivery);
    if (delivery.mode === 'anycast') return this.anycast(target, delivery);
    const isShared = delivery.mode !== 'sticky' && this.connection.settings.spread > 1;
    if (!isShared) return this.one(target, delivery);
    return this.share(target, delivery).next();
  }

  /** Every instance that answers to a name now. @throws SlimError as `SlimApp.instances` */
  async *instances(
    target: SlimName,
    { discoveryMs, signal }: { readonly discoveryMs: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<SlimName> {
    const app = await this.app();
    const either = AbortSignal.any([this.abortion.signal, ...(signal ? [signal] : [])]);
    yield* app.instances(target, { discoveryMs, signal: either });
  }

  /** Ends every session and every attempt to open one. */
  async close(): Promise<void> {
    this.abortion.abort(closed());
    const sessions = await Promise.allSettled(this.open.values());
    await Promise.all(
      sessions.map(async (session) => {
        if (session.status === 'fulfilled') await session.value.close();
      }),
    );
  }

  private one(target: SlimName, delivery: Delivery): Promise<ClientSession> {
    const key = keyOf(target, delivery);
    const known = this.open.get(key);
    if (known) return known;
    const forget = (): void => {
      if (this.open.get(key) === opening) this.open.delete(key);
    };
    const opening = this.openSession(target, delivery, () => {
      forget();
      for (const share of this.shares.values()) share.forget(target);
    });
    this.open.set(key, opening);
    opening.catch(forget);
    return opening;
  }

  private async anycast(target: SlimName, delivery: Delivery): Promise<ClientSession> {
    const app = await this.app();
    const { discoveryMs } = this.connection.settings;
    const { signal } = this.abortion;
    return this.one(await app.discover(target, { discoveryMs, signal }), delivery);
  }

  private share(target: SlimName, delivery: Delivery): InstanceShare<ClientSession> {
    const key = keyOf(target, delivery);
    const known = this.shares.get(key);
    if (known) return known;
    const { clock, spread, rediscoverMs, discoveryMs } = this.connection.settings;
    const share = new InstanceShare<ClientSession>({
      clock,
      spread,
      rediscoverMs,
      discover: () => this.anycast(target, delivery).then((session) => session.peer),
      instances: () => this.instances(target, { discoveryMs }),
      open: (instance) => this.one(instance, delivery),
      dropped: (reason) => this.connection.events.emit('dropped', reason),
    });
    this.shares.set(key, share);
    return share;
  }

  private async openSession(
    target: SlimName,
    { mls, reliable }: Delivery,
    unusable: () => void,
  ): Promise<ClientSession> {
    const app = await this.app();
    const { payloads, discoveryMs } = this.connection.settings;
    const { signal } = this.abortion;
    const session = await app.openSession(target, { mls, reliable, discoveryMs, signal });
    this.connection.announce(session);
    const dropped = (reason: SlimError): void => this.connection.events.emit('dropped', reason);
    return new ClientSession(session, { payloads, dropped, unusable });
  }

  private async app(): Promise<SlimApp> {
    const app = await this.connection.connect();
    if (this.abortion.signal.aborted) throw closed();
    return app;
  }
}

function keyOf(target: SlimName, { mls, reliable }: Delivery): string {
  return `${String(target)} ${mls} ${reliable}`;
}

function closed(): SlimError {
  return new SlimError('aborted', 'the client is closed');
}
