/** A map that forgets the entry that was not asked for longest, so that it stays bounded. */
export class KeyCache<Key> {
  readonly #limit: number;
  readonly #keys = new Map<string, Key>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The key known as `id`, built on first use. What `build` throws is passed on and not kept. */
  get(id: string, build: () => Key): Key {
    const key = this.#keys.get(id) ?? build();
    // A map keeps insertion order: putting the entry in again makes it the youngest.
    this.#keys.delete(id);
    this.#keys.set(id, key);
    if (this.#keys.size > this.#limit) this.#forgetOldest();
    return key;
  }

  #forgetOldest(): void {
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest);
      return;
    }
  }
}
