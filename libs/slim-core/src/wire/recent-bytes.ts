import { isSameBytes } from './same-bytes.js';

/** Looked through one by one, so few. */
const maxKept = 16;

/** Remembers what the last few byte strings meant: the same ones come again and again on a link. */
export class RecentBytes<Value> {
  readonly #decode: (bytes: Uint8Array) => Value;
  readonly #known: { readonly bytes: Uint8Array; readonly value: Value }[] = [];
  #oldest = 0;

  /** What `decode` gives may hold views of the bytes it gets, which are never changed. */
  constructor(decode: (bytes: Uint8Array) => Value) {
    this.#decode = decode;
  }

  /** The value of the bytes in that range, which is the same object for equal ones that came lately. */
  read(bytes: Uint8Array, start: number, end: number): Value {
    for (const known of this.#known) {
      if (isSameBytes(known.bytes, bytes, start, end)) return known.value;
    }
    const own = bytes.slice(start, end);
    const value = this.#decode(own);
    this.#known[this.#oldest] = { bytes: own, value };
    this.#oldest = (this.#oldest + 1) % maxKept;
    return value;
  }
}
