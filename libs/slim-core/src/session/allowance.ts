/** So many of something in every interval, which begins when the first of it is taken. */
export class Allowance {
  readonly #intervalMs: number;
  readonly #size: (lastEndMs: number) => number;
  #endMs = -Infinity;
  #left = 0;

  /** `size` says how many there are in the interval that begins; it is told when the last one ended. */
  constructor(intervalMs: number, size: (lastEndMs: number) => number) {
    this.#intervalMs = intervalMs;
    this.#size = size;
  }

  /** Returns false when none is left. */
  take(nowMs: number): boolean {
    if (nowMs >= this.#endMs) {
      this.#left = this.#size(this.#endMs);
      this.#endMs = nowMs + this.#intervalMs;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
