import { sharedSecret, type Channel, type SlimApp } from '@nestjs-slim/core';
import { Fabric, LossyLinks, ManualClock } from '@nestjs-slim/core/testing';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import { ChannelLedger, type Membership } from './channel-ledger.js';

const secret = 'a secret that only the chaos tests share';
const moderatorName = 'org/ns/moderator';
const mostMembers = 4;
const actions = 12;
/** Time runs faster than on the wall: so much at every step, which takes about a millisecond. */
const stepMs = 20;
/** How long anything may take after the network is healed. */
const limitMs = 120_000;

/** The times of the sessions, in the run's own time. */
const sessions = {
  intervalMs: 100,
  maxRetries: 80,
  heartbeatMs: 1_000,
  maxSilentIntervals: 10,
  closeMs: 4_000,
  reinviteMs: 50,
};

interface Member {
  readonly name: string;
  readonly app: SlimApp;
  readonly memberships: Membership[];
}

/** A channel whose members do at random what members do, on a network that fails at random. */
export class ChaosRun {
  readonly #clock = new ManualClock(Date.now());
  readonly #links: LossyLinks;
  readonly #fabric: Fabric;
  readonly #members: Member[] = [];
  readonly #ledger = new ChannelLedger((what) => this.#note(what));
  readonly #busy = new Set<Promise<unknown>>();
  readonly #log: string[] = [];
  readonly #startMs = this.#clock.now();
  #running = true;

  constructor(seed: number) {
    this.#links = new LossyLinks(seed, this.#clock);
    this.#fabric = new Fabric(nodeCrypto, secret, this.#links.wrap);
  }

  /** Runs a scenario. @throws Error that says what was wrong, and what happened before */
  async run(): Promise<void> {
    const time = this.#passTime();
    try {
      await this.#scenario();
    } catch (reason) {
      throw new Error(`${String(reason)}\n${this.#log.join('\n')}`, { cause: reason });
    } finally {
      this.#links.heal();
      await this.#fabric.close();
      this.#running = false;
      await time;
    }
  }

  async #scenario(): Promise<void> {
    const moderator = await this.#start(moderatorName);
    const channel = await moderator.app.createChannel('org/ns/room', { mls: this.#chance(0.8) });
    this.#enter(moderator, channel);
    const size = 2 + this.#pick(mostMembers - 1);
    for (let index = 0; index < size; index += 1) {
      const member = await this.#start(`org/ns/member-${index}`);
      await channel.invite(member.name);
      await this.#until('a first member is in', () => member.memberships.length === 1);
    }
    this.#links.begin({
      drop: this.#links.random() * 0.2,
      duplicate: this.#links.random() * 0.2,
      delay: this.#links.random() * 0.4,
      maxDelayMs: 300,
      cut: this.#links.random() * 0.005,
    });
    this.#note(`faults ${JSON.stringify(this.#links.faults)}`);
    for (let count = 0; count < actions; count += 1) {
      this.#act(channel);
      await this.#pause(this.#links.random() * 400);
    }
    await this.#converge(channel);
  }

  /** One thing that a member does; it may go wrong on a network like this. */
  #act(channel: Channel): void {
    const inside = this.#members.flatMap(({ memberships }) =>
      memberships.filter(({ over }) => !over).slice(-1),
    );
    const one = inside[this.#pick(inside.length)];
    const other = this.#members[1 + this.#pick(this.#members.length - 1)];
    if (!one || !other) return;
    const chance = this.#links.random();
    if (chance < 0.55) {
      for (let count = 1 + this.#pick(5); count > 0; count -= 1) this.#publish(one);
    } else if (chance < 0.68) {
      this.#begin(`remove ${other.name}`, () => channel.remove(other.name));
    } else if (chance < 0.85) {
      this.#begin(`invite ${other.name}`, () => channel.invite(other.name));
    } else if (chance < 0.92) {
      if (one.channel !== channel) this.#begin(`${one.label} leaves`, () => one.channel.close());
    } else if (channel.mls) {
      // Without epochs nobody notices what it missed meanwhile (reference: sessions 8.2).
      this.#begin(`${one.label} is offline for a while`, () => this.#beAway(one));
    }
  }

  async #beAway(one: Membership): Promise<void> {
    this.#ledger.isAway(one);
    await one.channel.goOffline();
    await this.#pause(this.#links.random() * 1_000);
    await one.channel.comeBack();
    one.away = false;
  }

  #publish(from: Membership): void {
    const { text, done } = this.#ledger.publish(from);
    this.#watch(`publish ${text}`, done);
  }

  /** What has to hold once the network works again. */
  async #converge(channel: Channel): Promise<void> {
    this.#note('healed');
    this.#links.heal();
    await this.#until('everything that was begun has ended', () => this.#busy.size === 0);
    await this.#until('all members agree', () => this.#agree(channel));
    for (const one of this.#ledger.inside()) for (let i = 0; i < 3; i += 1) this.#publish(one);
    await this.#until('the last messages are acknowledged', () => this.#busy.size === 0);
    await this.#until('every message has arrived', () => this.#ledger.missing().length === 0);
    const last = this.#ledger.published.slice(-3 * this.#ledger.inside().length);
    this.#expect(
      last.every(({ outcome, audience }) => outcome === 'delivered' && audience.length > 0) ||
        this.#ledger.inside().length === 1,
      `the last messages ended otherwise: ${JSON.stringify(last.map(({ outcome }) => outcome))}`,
    );
    const disordered = this.#ledger.disordered();
    this.#expect(disordered.length === 0, disordered.join(', '));
    await channel.close();
  }

  #agree(channel: Channel): boolean {
    const inside = this.#ledger.inside();
    const expected = inside
      .map(({ name }) => name)
      .toSorted()
      .join();
    return inside.every(({ channel: one }) => {
      const names = one.participants().map(({ name }) => name.service);
      const isOnline = one.participants().every(({ online }) => online);
      return names.toSorted().join() === expected && one.epoch === channel.epoch && isOnline;
    });
  }

  async #start(name: string): Promise<Member> {
    const app = await this.#fabric.connect(name, {
      identity: sharedSecret({ secret }),
      clock: this.#clock,
      sessions,
      backoff: { firstMs: 20, maxMs: 200 },
    });
    const member: Member = { name, app, memberships: [] };
    this.#members.push(member);
    app.on('dropped', (reason) => this.#note(`${name} refused: ${reason.message}`));
    app.on('status', ({ status }) => this.#note(`${name} ${status}`));
    void this.#enterAll(member);
    return member;
  }

  async #enterAll(member: Member): Promise<void> {
    for await (const channel of member.app.sessions()) {
      if (channel.kind === 'channel') this.#enter(member, channel);
    }
  }

  #enter(member: Member, channel: Channel): void {
    const label = `${member.name.slice(7)}#${member.memberships.length}`;
    member.memberships.push(this.#ledger.enter(member.name, label, channel));
  }

  #begin(what: string, action: () => Promise<void>): void {
    this.#watch(
      what,
      action().catch((reason: unknown) => String(reason)),
    );
  }

  #watch(what: string, done: Promise<unknown>): void {
    this.#note(what);
    const watched = done.then((outcome) => {
      this.#busy.delete(watched);
      this.#note(`${what}: ${JSON.stringify(outcome ?? 'done')}`);
    });
    this.#busy.add(watched);
  }

  async #passTime(): Promise<void> {
    while (this.#running) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      this.#clock.advance(stepMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const endMs = this.#clock.now() + limitMs;
    while (!condition()) {
      this.#expect(this.#clock.now() < endMs, `not within ${limitMs} ms: ${what}`);
      await this.#pause(stepMs);
    }
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(`${what}; missing: ${this.#ledger.missing().join(', ')}`);
  }

  #note(what: string): void {
    this.#log.push(`${String(this.#clock.now() - this.#startMs).padStart(6)} ${what}`);
  }

  #chance(probability: number): boolean {
    return this.#links.random() < probability;
  }

  #pick(count: number): number {
    return Math.floor(this.#links.random() * count);
  }
}
