import type { Channel } from '@nestjs-slim/core';

/** One time that one application was in the channel. */
export interface Membership {
  /** `org/namespace/service` of the application. */
  readonly name: string;
  readonly channel: Channel;
  /** Names this membership in texts; has no blank. */
  readonly label: string;
  /** Epoch from which it surely is in. */
  readonly sinceEpoch: bigint;
  /** What it received, in order. */
  readonly received: string[];
  over: boolean;
  /** It said that it receives nothing for a while. */
  away: boolean;
  published: number;
}

/** One message, and who has to get it: all that were in, as its sender knew, and stayed. */
export interface Published {
  readonly text: string;
  readonly from: Membership;
  /** Of the channel when it was published. */
  readonly epoch: bigint;
  audience: readonly Membership[];
  /** Names of all whom its sender waited for, also of such as are not in this ledger. */
  readonly awaited: Set<string>;
  outcome: 'waiting' | 'delivered' | { readonly failed: string };
}

/** Who was in a channel when, what they published and what they received: whether it kept its promises. */
export class ChannelLedger {
  readonly memberships: Membership[] = [];
  readonly published: Published[] = [];
  readonly #note: (what: string) => void;

  constructor(note: (what: string) => void) {
    this.#note = note;
  }

  /** An application is in the channel; what it receives is read from now on. */
  enter(name: string, label: string, channel: Channel): Membership {
    const { epoch: sinceEpoch } = channel;
    const one: Membership = {
      ...{ name, channel, label, sinceEpoch },
      ...{ received: [], over: false, away: false, published: 0 },
    };
    this.memberships.push(one);
    this.#note(`${label} is in, epoch ${sinceEpoch}`);
    channel.on('epoch', (epoch) => this.#note(`${label} epoch ${epoch}`));
    channel.on('presence', ({ name: { service }, online }) => {
      if (!online) this.#isSilent(one, service);
    });
    channel.on('left', ({ name: { service } }) => this.#isSilent(one, service));
    channel.onLost((id) => this.#note(`${label} lost ${id}`));
    void channel.ended.then((reason) => {
      one.over = true;
      this.#note(`${label} ended: ${reason?.message}`);
    });
    void this.#read(one);
    return one;
  }

  /** Memberships that go on. */
  inside(): Membership[] {
    return this.memberships.filter(({ over }) => !over);
  }

  /** Publishes the next message of a member; settles, never fails, when it is known how it went. */
  publish(from: Membership): { readonly text: string; readonly done: Promise<unknown> } {
    const { channel, label } = from;
    const text = `${label} ${(from.published += 1)}`;
    const published: Published = {
      ...{ text, from, epoch: channel.epoch },
      ...{ audience: this.#audience(from), awaited: awaitedBy(from), outcome: 'waiting' },
    };
    this.published.push(published);
    const done = channel.publish(new TextEncoder().encode(text)).then(
      () => (published.outcome = 'delivered'),
      (reason: unknown) => (published.outcome = { failed: String(reason) }),
    );
    return { text, done };
  }

  /** What waits for room goes when this member may have said that it receives nothing. */
  isAway(one: Membership): void {
    one.away = true;
    for (const each of this.published) {
      if (each.outcome === 'waiting')
        each.audience = each.audience.filter((other) => other !== one);
    }
  }

  /** Messages that a member has not got, though their publisher was told that all have. */
  missing(): string[] {
    const received = new Map(this.memberships.map((one) => [one, new Set(one.received)] as const));
    return this.published
      .filter(({ outcome }) => outcome === 'delivered')
      .flatMap(({ text, audience }) =>
        audience.flatMap((one) =>
          one.over || received.get(one)?.has(text) ? [] : [`${one.label}: ${text}`],
        ),
      );
  }

  /** Messages that came twice, or after a later one of their sender. */
  disordered(): string[] {
    return this.memberships.flatMap(disordered);
  }

  /** A publisher that takes a member for gone, or knows that it is removed, waits for it no longer. */
  #isSilent(from: Membership, name: string): void {
    this.#note(`${from.label} waits for ${name} no longer`);
    for (const each of this.published) {
      if (each.from !== from || each.outcome !== 'waiting') continue;
      each.audience = each.audience.filter((other) => other.name !== name);
      each.awaited.delete(name);
    }
  }

  #audience(from: Membership): Membership[] {
    const { channel } = from;
    const present = awaitedBy(from);
    const latest = new Map(this.memberships.map((one) => [one.name, one] as const));
    return [...latest.values()].filter(
      (one) =>
        one !== from &&
        !one.over &&
        !one.away &&
        present.has(one.name) &&
        one.sinceEpoch <= channel.epoch,
    );
  }

  async #read({ channel, received, label }: Membership): Promise<void> {
    for await (const { payload } of channel) {
      const text = new TextDecoder().decode(payload);
      received.push(text);
      this.#note(`${label} got ${text}`);
    }
  }
}

/** Whom the channel takes for able to receive. */
function awaitedBy({ channel }: Membership): Set<string> {
  return new Set(
    channel.participants().flatMap(({ name, online }) => (online ? [name.service] : [])),
  );
}

function disordered({ received, label }: Membership): string[] {
  const last = new Map<string, number>();
  return received.flatMap((text) => {
    const [sender = '', number = ''] = text.split(' ');
    const before = last.get(sender) ?? 0;
    last.set(sender, Number(number));
    return Number(number) > before ? [] : [`${label} got ${text} after ${before}`];
  });
}
