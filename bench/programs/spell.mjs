/** Milliseconds of a clock that all processes of a machine share. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * A stretch of work: that long, and longer while there was too little work, but not without end.
 * @typedef {{ ms: number, atLeast?: number, atMostMs?: number }} SpellOptions
 */
export class Spell {
  startedAtMs = nowMs();
  #options;

  /** @param {SpellOptions} options */
  constructor({ ms, atLeast = 0, atMostMs = Infinity }) {
    this.#options = { ms, atLeast, atMostMs };
  }

  get elapsedMs() {
    return nowMs() - this.startedAtMs;
  }

  /**
   * Whether to go on after that much work.
   * @param {number} count
   */
  goesOn(count) {
    const { ms, atLeast, atMostMs } = this.#options;
    const { elapsedMs } = this;
    return elapsedMs < ms || (count < atLeast && elapsedMs < atMostMs);
  }
}
