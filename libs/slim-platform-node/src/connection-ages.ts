/** Ages that differ, by a hundredth each. */
const ageSteps = 10;

/** How old connections get: those that came one after the other do not end at the same time. */
export class ConnectionAges {
  readonly #maxAgeMs: number | undefined;
  #given = 0;

  /** Without a limit they get as old as they like. */
  constructor(maxAgeMs: number | undefined) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** For the next connection, in milliseconds. */
  next(): number | undefined {
    if (this.#maxAgeMs === undefined) return undefined;
    const earlier = (this.#given++ % ageSteps) / 100;
    return Math.ceil(this.#maxAgeMs * (1 - earlier));
  }
}
