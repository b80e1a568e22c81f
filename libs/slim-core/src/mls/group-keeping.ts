/** What of a group outlives the process: enough to go on in its epoch without another welcome. */
export interface KeptGroup {
  /** The keys of the current epoch as they are now. */
  readonly epoch: Uint8Array;
  /** What changes of the membership need; undefined in a group that stays as it is. */
  readonly tree: Uint8Array | undefined;
}

/** Generations that are marked as used at once, so that not every message has to be kept. */
const reservedAhead = 32;
/** Messages that are opened until the keys they used up are erased from what is kept. */
const openedBetween = 256;

/**
 * When a group has to be kept. A generation that may have been used before a restart must not be used again:
 * two messages would share a key. So a number of them is marked as used before the first of them is. Official
 * receivers follow 1,024 generations at once, some restarts in a row.
 */
export class GroupKeeping {
  readonly #keep: (isNeeded: boolean) => void;
  #reserved = 0;
  #opened = 0;
  #isTreeKept = false;

  /** `keep` is to write the group down; it throws when it cannot, where it is needed. */
  constructor(keep: (isNeeded: boolean) => void) {
    this.#keep = keep;
  }

  /** True when the tree is kept as it is. */
  get isTreeKept(): boolean {
    return this.#isTreeKept;
  }

  /** A generation is about to be used. @throws SlimError `store-failed`, and it must not be */
  sealing(generation: number): void {
    if (generation >= this.#reserved) this.#keep(true);
  }

  /** A message was opened. */
  opened(): void {
    this.#opened += 1;
    if (this.#opened >= openedBetween) this.#keep(false);
  }

  /** Another epoch began. */
  advanced(): void {
    this.#reserved = 0;
    this.#isTreeKept = false;
  }

  /** The generations that are marked as used when it is written down now. */
  ahead(generation: number): number {
    return generation + reservedAhead;
  }

  /** It was written down, with the generations before that one marked as used. */
  kept(reserved: number): void {
    this.#reserved = reserved;
    this.#opened = 0;
    this.#isTreeKept = true;
  }
}
