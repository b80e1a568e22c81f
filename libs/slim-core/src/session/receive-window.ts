import {
  distance,
  isAfter,
  isSequential,
  nextMessageId,
  previousMessageId,
} from './message-ids.js';

/** One message whose turn it is; without a message when it is lost. */
export interface Delivery<Message> {
  readonly id: number;
  readonly message: Message | undefined;
}

/** What a receiver has to do after it took a message in. */
export interface Accepted<Message> {
  /** To hand to the application, in order. */
  readonly deliver: readonly Delivery<Message>[];
  /** Ids to ask the sender for. */
  readonly missing: readonly number[];
}

/** Ids a window spans at most; the official sender keeps as many for retransmission. */
export const maxSpan = 512;

const lost = Symbol('lost');
const nothing = { deliver: [], missing: [] };

/**
 * Puts the messages of one sender in order: duplicates are dropped, gaps are named so that they can be
 * requested (reference: sessions 7.4).
 */
export class ReceiveWindow<Message> {
  /** Of a resumed stream: where it goes on, and what came of before. */
  readonly #late: Set<number> | undefined;
  #resumedAt: number | undefined;
  #last: number | undefined;
  readonly #held = new Map<number, Message | typeof lost>();
  #newest = 0;
  /** The last ids that were given up. */
  readonly #lost = new Set<number>();

  /**
   * A stream of before a restart is resumed: which of its messages came before is not known, and a sender
   * repeats the younger first as it may. So what it repeats is taken in when it comes, not taken for old.
   */
  constructor({ isResumed = false }: { readonly isResumed?: boolean } = {}) {
    this.#late = isResumed ? new Set() : undefined;
  }

  /** True for a message that was taken in or given up before; taking it in again changes nothing. */
  has(id: number): boolean {
    if (this.#last === undefined || !isSequential(id) || this.#isLate(id)) return false;
    return !isAfter(id, this.#last) || this.#held.has(id);
  }

  /** True for a message that was given up, as far back as its sender may still repeat it. */
  isLost(id: number): boolean {
    return this.#lost.has(id);
  }

  /** Takes a message in. The first one of a sender sets where its stream starts. */
  accept(id: number, message: Message): Accepted<Message> {
    if (!isSequential(id)) return nothing;
    if (this.#last === undefined) {
      this.#last = id;
      this.#newest = id;
      this.#resumedAt = id;
      return { deliver: [{ id, message }], missing: [] };
    }
    if (this.#isLate(id)) {
      this.#late?.add(id);
      return { deliver: [{ id, message }], missing: [] };
    }
    if (this.has(id)) return nothing;
    const before = this.#isOutOfReach(id) ? this.#startOverBefore(id) : [];
    this.#held.set(id, message);
    const missing = this.#extendTo(id);
    const ready = this.#release();
    return { deliver: before.length > 0 ? [...before, ...ready] : ready, missing };
  }

  /** Gives an id up, so that what came after it can go on. */
  giveUp(id: number): readonly Delivery<Message>[] {
    if (this.#last === undefined || this.has(id) || this.#isLate(id)) return [];
    // Only what is missing: a peer may report the loss of anything.
    if (!isSequential(id) || isAfter(id, this.#newest)) return [];
    this.#lose(id);
    return this.#release();
  }

  #lose(id: number): void {
    this.#held.set(id, lost);
    this.#lost.add(id);
    const [oldest] = this.#lost;
    if (this.#lost.size > maxSpan && oldest !== undefined) this.#lost.delete(oldest);
  }

  /** True for what a sender may still repeat of before the restart. */
  #isLate(id: number): boolean {
    if (!this.#late || this.#resumedAt === undefined || this.#late.has(id)) return false;
    return isAfter(this.#resumedAt, id) && distance(id, this.#resumedAt) < maxSpan;
  }

  /** The ids between the newest seen and this one; those out of the sender's reach are given up. */
  #extendTo(id: number): number[] {
    if (!isAfter(id, this.#newest)) return [];
    const missing: number[] = [];
    for (let at = nextMessageId(this.#newest); at !== id; at = nextMessageId(at)) {
      if (distance(at, id) < maxSpan) missing.push(at);
      else this.#lose(at);
    }
    this.#newest = id;
    return missing;
  }

  #isOutOfReach(id: number): boolean {
    return isAfter(id, this.#newest) && distance(this.#newest, id) > maxSpan * 2;
  }

  /**
   * A jump that no retransmission can fill begins the stream anew, rather than counting through it. Returns
   * what came before the jump, which nothing is waited for any more.
   */
  #startOverBefore(id: number): readonly Delivery<Message>[] {
    let at = this.#last ?? this.#newest;
    while (at !== this.#newest) {
      at = nextMessageId(at);
      if (!this.#held.has(at)) this.#lose(at);
    }
    const ready = this.#release();
    this.#last = previousMessageId(id);
    this.#newest = this.#last;
    return ready;
  }

  #release(): Delivery<Message>[] {
    const ready: Delivery<Message>[] = [];
    if (this.#last === undefined) return ready;
    for (let at = nextMessageId(this.#last); ; at = nextMessageId(at)) {
      const message = this.#held.get(at);
      if (message === undefined) return ready;
      this.#held.delete(at);
      this.#last = at;
      ready.push({ id: at, message: message === lost ? undefined : message });
    }
  }
}
