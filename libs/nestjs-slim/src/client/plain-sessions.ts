import type { Session, SlimName } from '@nestjs-slim/core';
import type { ClientLife } from './client-life.js';
import { deliveryKey, type Delivery } from './delivery.js';

/** A session that nobody asks by now. */
interface Idle {
  readonly session: Session;
  /** It is asked by again. */
  readonly wake: () => void;
}

/** Sessions with applications that know nothing of Nest: each has one question at a time, or none ever. */
export class PlainSessions {
  private readonly life: ClientLife;
  /** All that last, by what they are good for. */
  private readonly keys = new Map<Session, string>();
  private readonly idle = new Map<string, Idle[]>();
  private readonly telling = new Map<string, Promise<Session>>();

  constructor(life: ClientLife) {
    this.life = life;
  }

  /** A session to ask by, until it is given back or dropped. @throws SlimError as `SlimApp.openSession` */
  async take(target: SlimName, delivery: Delivery): Promise<Session> {
    const to = await this.resolve(target, delivery);
    const key = deliveryKey(to, delivery);
    const idle = this.idle.get(key)?.pop();
    if (!idle) return this.open(to, delivery, key);
    idle.wake();
    return idle.session;
  }

  /** It was answered. Whatever comes before the next question answers none, so it is not asked by again. */
  give(session: Session): void {
    const key = this.keys.get(session);
    if (key === undefined) return;
    const rest = new AbortController();
    const idle: Idle = { session, wake: () => rest.abort() };
    this.idle.set(key, [...(this.idle.get(key) ?? []), idle]);
    session.next({ signal: rest.signal }).then(
      () => this.rouse(session) && void this.drop(session),
      // It was taken, or is over.
      () => undefined,
    );
  }

  /** A session for what is not answered, shared by all of it. What the other side says there is not read. */
  async toTell(target: SlimName, delivery: Delivery): Promise<Session> {
    const to = await this.resolve(target, delivery);
    const key = `${deliveryKey(to, delivery)} told`;
    const known = this.telling.get(key);
    if (known) return known;
    const opening = this.open(to, delivery, key);
    const forget = (): boolean => this.telling.delete(key);
    this.telling.set(key, opening);
    opening.then((session) => {
      void session.ended.then(forget);
      return discard(session);
    }, forget);
    return opening;
  }

  drop(session: Session): Promise<void> {
    return session.close();
  }

  /** Ends every session: the life of the client is over. */
  async close(): Promise<void> {
    await Promise.all([...this.keys.keys()].map((session) => session.close()));
  }

  private async resolve(target: SlimName, { mode }: Delivery): Promise<SlimName> {
    return mode !== 'anycast' || target.isInstance ? target : this.life.discover(target);
  }

  private async open(to: SlimName, delivery: Delivery, key: string): Promise<Session> {
    const [other] = [...this.keys].find(([, known]) => known === key) ?? [];
    const session = await this.life.openSession(other?.peer ?? to, delivery);
    this.keys.set(session, key);
    void session.ended.then(() => {
      this.rouse(session);
      this.keys.delete(session);
    });
    return session;
  }

  /** True when it was idle. */
  private rouse(session: Session): boolean {
    const key = this.keys.get(session) ?? '';
    const left = this.idle.get(key)?.filter((other) => other.session !== session) ?? [];
    const wasIdle = left.length !== (this.idle.get(key)?.length ?? 0);
    if (left.length > 0) this.idle.set(key, left);
    else this.idle.delete(key);
    return wasIdle;
  }
}

async function discard(session: Session): Promise<void> {
  const messages = session[Symbol.asyncIterator]();
  try {
    while (!(await messages.next()).done);
  } catch {
    // The other side vanished, which those who publish hear of.
  }
}
