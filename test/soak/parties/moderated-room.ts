import { setTimeout } from 'node:timers/promises';
import { SlimError, type Channel, type LinkDialler, type SlimApp as App } from '@nestjs-slim/core';
import type { LossyLinks } from '@nestjs-slim/core/testing';
import { SlimApp } from '@nestjs-slim/platform-node';
import { ChannelLedger, type Membership } from '../../chaos/channel-ledger.js';
import { backoff, dialler, memberIdentity, type Keys } from './identities.js';
import type { RoomOutcome } from './room-outcome.js';

const channelName = 'soak/ops/room';
const moderatorName = 'soak/ops/moderator';
const guestName = 'soak/ops/guest';
const memberNames = ['soak/ops/one', 'soak/ops/two', 'soak/ops/three'];
const publishPauseMs = 120;
const changePauseMs = 1_500;
const settleMs = 250;
/** How long the last changes and messages may take once all is well. */
const limitMs = 60_000;

/** A moderated channel under load, and the ledger of what it brought to whom. */
export class Room {
  readonly #links: LossyLinks;
  readonly #channel: Channel;
  readonly #apps: App[] = [];
  readonly #ledger: ChannelLedger;
  /** Epoch from which a membership must hear nothing, because it was removed. */
  readonly #removedAt = new Map<Membership, bigint>();
  readonly #busy = new Set<Promise<unknown>>();
  readonly #failed: Record<string, number> = {};
  #changes = 0;
  #heardOutside = 0;
  #isOver = false;
  #isGuestNew = true;
  #loops: Promise<unknown> = Promise.resolve();

  private constructor(
    links: LossyLinks,
    moderator: App,
    channel: Channel,
    note: (what: string) => void,
  ) {
    this.#ledger = new ChannelLedger(note);
    this.#links = links;
    this.#channel = channel;
    this.#apps.push(moderator);
    this.#ledger.enter(moderatorName, 'moderator', channel);
  }

  static async open(
    nodes: readonly string[],
    keys: Keys,
    links: LossyLinks,
    note: (what: string) => void,
  ): Promise<Room> {
    const connect = (name: string, shift: number): Promise<App> =>
      SlimApp.connect({
        name,
        identity: memberIdentity(keys),
        node: [...nodes.slice(shift), ...nodes.slice(0, shift)].map((url) =>
          lossy(dialler(url, keys), links),
        ),
        backoff,
      });
    const moderator = await connect(moderatorName, 0);
    const room = new Room(links, moderator, await moderator.createChannel(channelName), note);
    for (const [index, name] of memberNames.entries()) {
      const member = await connect(name, (index + 1) % nodes.length);
      room.#apps.push(member);
      void room.#enterAll(name, member);
      await room.#channel.invite(name);
    }
    const outsider = await connect('soak/ops/outsider', 1 % nodes.length);
    room.#apps.push(outsider);
    void room.#listen(outsider);
    await outsider.subscribe(channelName);
    room.#loops = Promise.all([room.#publishAll(), room.#changeAll()]);
    return room;
  }

  /** Whoever answers as the guest is another one than before. */
  guestIsNew(): void {
    this.#isGuestNew = true;
  }

  async finish(): Promise<RoomOutcome> {
    this.#isOver = true;
    this.#links.heal();
    await this.#loops;
    const wrong: string[] = [];
    await this.#until(wrong, 'what was begun has ended', () => this.#busy.size === 0);
    const inside = this.#ledger.inside();
    for (const one of inside) this.#publish(one);
    await this.#until(wrong, 'the last messages are settled', () => this.#busy.size === 0);
    await this.#until(
      wrong,
      'every message has arrived',
      () => this.#ledger.missing().length === 0,
    );
    return this.#outcome(wrong);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    for (const app of this.#apps.toReversed()) await app.close();
  }

  #outcome(wrong: readonly string[]): RoomOutcome {
    const { published, memberships } = this.#ledger;
    const delivered = published.filter(({ outcome }) => outcome === 'delivered');
    return {
      published: published.length,
      delivered: delivered.length,
      received: memberships.reduce((sum, { received }) => sum + received.length, 0),
      memberships: memberships.length,
      changes: this.#changes,
      epoch: Number(this.#channel.epoch),
      heardOutside: this.#heardOutside,
      failed: this.#failed,
      lost: this.#ledger.missing(),
      disordered: this.#ledger.disordered(),
      afterRemoval: this.#afterRemoval(),
      wrong,
      toGuest: delivered.filter(({ awaited }) => awaited.has(guestName)).map(({ text }) => text),
    };
  }

  /** What was sealed when its reader was removed already, and was read all the same. */
  #afterRemoval(): string[] {
    const epochs = new Map(this.#ledger.published.map(({ text, epoch }) => [text, epoch]));
    return [...this.#removedAt].flatMap(([{ received, label }, removedAt]) =>
      received
        .filter((text) => (epochs.get(text) ?? -1n) >= removedAt)
        .map((text) => `${label}: ${text}`),
    );
  }

  async #publishAll(): Promise<void> {
    while (!this.#isOver) {
      for (const one of this.#ledger.inside()) if (this.#busy.size < 500) this.#publish(one);
      await setTimeout(publishPauseMs);
    }
  }

  #publish(from: Membership): void {
    const { text, done } = this.#ledger.publish(from);
    void text;
    this.#watch(done);
  }

  async #changeAll(): Promise<void> {
    while (!this.#isOver) {
      await setTimeout(changePauseMs);
      if (this.#isGuestNew) await this.#renewGuest();
      else await this.#change();
    }
  }

  async #renewGuest(): Promise<void> {
    this.#isGuestNew = false;
    const isIn = this.#channel.participants().some(({ name }) => name.service === guestName);
    if (isIn) await this.#try('remove', this.#channel.remove(guestName));
    const isInvited = await this.#try('invite', this.#channel.invite(guestName));
    if (!isInvited) this.#isGuestNew = true;
  }

  /** One member, by chance, goes if it is in and comes if it is not. */
  async #change(): Promise<void> {
    const name = memberNames[Math.floor(this.#links.random() * memberNames.length)] ?? '';
    const one = this.#ledger.inside().find((membership) => membership.name === name);
    if (!one) {
      await this.#try('invite', this.#channel.invite(name));
    } else if (this.#links.random() < 0.5) {
      await this.#try('leave', one.channel.close());
    } else if (await this.#try('remove', this.#channel.remove(name))) {
      if (this.#channel.mls) this.#removedAt.set(one, this.#channel.epoch);
    }
  }

  async #try(what: string, action: Promise<void>): Promise<boolean> {
    try {
      await action;
      this.#changes += 1;
      return true;
    } catch (reason) {
      if (!(reason instanceof SlimError)) throw reason;
      const key = `${what} ${reason.code}`;
      this.#failed[key] = (this.#failed[key] ?? 0) + 1;
      return false;
    }
  }

  async #enterAll(name: string, app: App): Promise<void> {
    let count = 0;
    const short = name.split('/').at(-1) ?? name;
    for await (const channel of app.sessions()) {
      if (channel.kind === 'channel') {
        this.#ledger.enter(name, `${short}-${(count += 1)}`, channel);
      }
    }
  }

  async #listen(outsider: App): Promise<void> {
    for await (const session of outsider.sessions()) {
      this.#heardOutside += 1;
      void session.close();
    }
  }

  #watch(done: Promise<unknown>): void {
    const watched = done.finally(() => this.#busy.delete(watched));
    this.#busy.add(watched);
  }

  async #until(wrong: string[], what: string, condition: () => boolean): Promise<void> {
    const endMs = Date.now() + limitMs;
    while (!condition()) {
      if (Date.now() > endMs) {
        wrong.push(`not within ${limitMs} ms: ${what}`);
        return;
      }
      await setTimeout(settleMs);
    }
  }
}

function lossy(inner: LinkDialler, links: LossyLinks): LinkDialler {
  return {
    target: inner.target,
    dial: async (signal) => links.wrap(await inner.dial(signal)),
  };
}
