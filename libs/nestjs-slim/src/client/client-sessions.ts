import type { SlimError, SlimName } from '@nestjs-slim/core';
import type { ClientLife } from './client-life.js';
import { ClientSession } from './client-session.js';
import { deliveryKey, type Delivery } from './delivery.js';
import { InstanceShare } from './instance-share.js';

/** How long to look for instances, and what ends the search before. */
export interface InstanceSearch {
  readonly discoveryMs: number;
  readonly signal?: AbortSignal;
}

/** The sessions of one client: opened by the first call that needs them and kept while they last. */
export class ClientSessions {
  private readonly life: ClientLife;
  private readonly open = new Map<string, Promise<ClientSession> | ClientSession>();
  private readonly shares = new Map<string, InstanceShare<ClientSession>>();
  /** All that last; some of them take no new calls, and are not open to them any more. */
  private readonly lasting = new Set<ClientSession>();

  constructor(life: ClientLife) {
    this.life = life;
  }

  /**
   * A session with whoever answers to a name; with an instance id in it, with that instance.
   * @throws SlimError as `SlimConnection.connect` and `SlimApp.openSession`; nothing that failed is kept
   */
  to(target: SlimName, delivery: Delivery): Promise<ClientSession> | ClientSession {
    if (target.isInstance) return this.one(target, delivery);
    if (delivery.mode === 'anycast') return this.anycast(target, delivery);
    const isShared = delivery.mode !== 'sticky' && this.life.connection.settings.spread > 1;
    if (!isShared) return this.one(target, delivery);
    return this.share(target, delivery).next();
  }

  /** Every instance that answers to a name now. @throws SlimError as `SlimApp.instances` */
  async *instances(
    target: SlimName,
    { discoveryMs, signal }: InstanceSearch,
  ): AsyncGenerator<SlimName> {
    const app = await this.life.app();
    const either = AbortSignal.any([this.life.signal, ...(signal ? [signal] : [])]);
    yield* app.instances(target, { discoveryMs, signal: either });
  }

  /** Ends every session, also those that are being opened: the life of the client is over. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.open.values()].map((session) => Promise.resolve(session)));
    await Promise.all([...this.lasting].map((session) => session.close()));
  }

  private one(target: SlimName, delivery: Delivery): Promise<ClientSession> | ClientSession {
    const key = deliveryKey(target, delivery);
    const known = this.open.get(key);
    if (known) return known;
    let kept: Promise<ClientSession> | ClientSession;
    const keep = (session: typeof kept): void => {
      kept = session;
      this.open.set(key, session);
    };
    const forget = (): void => {
      if (this.open.get(key) === kept) this.open.delete(key);
    };
    let isUsable = true;
    const opening = this.openSession(target, delivery, () => {
      isUsable = false;
      forget();
      for (const share of this.shares.values()) share.forget(target);
    });
    keep(opening);
    opening.then((session) => isUsable && keep(session), forget);
    return opening;
  }

  private async anycast(target: SlimName, delivery: Delivery): Promise<ClientSession> {
    return this.one(await this.life.discover(target), delivery);
  }

  private share(target: SlimName, delivery: Delivery): InstanceShare<ClientSession> {
    const key = deliveryKey(target, delivery);
    const known = this.shares.get(key);
    if (known) return known;
    const { clock, spread, rediscoverMs, discoveryMs } = this.life.connection.settings;
    const share = new InstanceShare<ClientSession>({
      clock,
      spread,
      rediscoverMs,
      discover: () => this.anycast(target, delivery).then((session) => session.peer),
      instances: () => this.instances(target, { discoveryMs }),
      open: async (instance) => this.one(instance, delivery),
      dropped: (reason) => this.life.connection.dropped(reason),
    });
    this.shares.set(key, share);
    return share;
  }

  private async openSession(
    target: SlimName,
    delivery: Delivery,
    unusable: () => void,
  ): Promise<ClientSession> {
    const { connection } = this.life;
    const opened = await this.life.openSession(target, delivery);
    const dropped = (reason: SlimError): void => connection.dropped(reason);
    const { payloads } = connection.settings;
    const session = new ClientSession(opened, { payloads, dropped, unusable });
    this.lasting.add(session);
    void opened.ended.then(() => this.lasting.delete(session));
    return session;
  }
}
