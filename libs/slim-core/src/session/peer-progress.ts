import { Allowance } from './allowance.js';
import type { SessionPolicy } from './session-policy.js';

/**
 * What is to be done about a message that was not answered: nothing yet; send it again; send it again,
 * because the peer answered what was sent later; give it up, because the peer is silent for too long.
 */
export type Judgement = 'wait' | 'repeat' | 'passed-over' | 'gone';

/** What is known of a message that is judged. */
export interface Unanswered {
  readonly firstSentMs: number;
  /** Its place among all transmissions, the last time it was sent. */
  readonly lastOrder: number;
}

/** Messages repeated in an interval of silence: a quarter of what is under way by default. */
export const maxRepeats = 64;

/**
 * What the answers of one peer tell about those that are missing. Links keep the order, so a peer that
 * gives one answer after the other is only late, and repetitions would make it later. One that is silent
 * is sent few, and fewer the longer it is: each message uses up a generation of the MLS ratchet, and the
 * official members of a channel open nothing that is 1024 generations ahead (reference: MLS 5).
 */
export class PeerProgress {
  readonly #intervalMs: number;
  readonly #patienceMs: number;
  readonly #repeats: Allowance;
  #share = maxRepeats;
  #heardMs = -Infinity;
  #latest = -1;

  constructor({ intervalMs, maxRetries }: SessionPolicy) {
    this.#intervalMs = intervalMs;
    this.#patienceMs = intervalMs * (maxRetries + 1);
    this.#repeats = new Allowance(intervalMs, (lastEndMs) => this.#nextShare(lastEndMs));
  }

  /** It answered what was sent as the `order`-th the first time, which may be all that it got. */
  answered(order: number, nowMs: number): void {
    this.#heardMs = nowMs;
    if (order > this.#latest) this.#latest = order;
  }

  judge({ firstSentMs, lastOrder }: Unanswered, nowMs: number): Judgement {
    if (lastOrder < this.#latest) return 'passed-over';
    const silentMs = nowMs - Math.max(firstSentMs, this.#heardMs);
    if (silentMs >= this.#patienceMs) return 'gone';
    if (nowMs - this.#heardMs < this.#intervalMs / 2) return 'wait';
    return this.#repeats.take(nowMs) ? 'repeat' : 'wait';
  }

  #nextShare(lastEndMs: number): number {
    const isBack = this.#heardMs >= lastEndMs - this.#intervalMs;
    this.#share = isBack ? maxRepeats : Math.max(1, this.#share >> 1);
    return this.#share;
  }
}
