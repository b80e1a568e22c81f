/** Three hashes and the two halves of the id, eight bytes each with the low one first. */
const hashesBytes = 24;
const numbersBytes = 40;
/** No frame is as long as four bytes can say. */
const maxLengthBits = 28;

const tags = { encoded: 0x0a, text: 0x12, id: 0x22 } as const;
const hashTags = [0x08, 0x10, 0x18] as const;
const halfTags = [0x08, 0x10] as const;
const textTags = [0x0a, 0x12, 0x1a] as const;

/**
 * Reads the canonical encoding of a `Name` by hand and without allocation, because nodes meet names by the
 * thousand (bench case `node forwarding … to each of`); the definition in `wire-name.ts` is the oracle in
 * the tests. What it read stays until the next `read`.
 */
export class NameFields {
  hasEncoded = false;
  hasId = false;
  hasText = false;
  /** Where the three strings lie in the bytes: start and end of each. */
  readonly texts: number[] = [0, 0, 0, 0, 0, 0];
  /** The hashes as the header MAC and `prefix` have them. */
  readonly hashes: Uint8Array;
  /** The id, its high half first. */
  readonly id: Uint8Array;
  readonly #numbers = new DataView(new ArrayBuffer(numbersBytes));
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor() {
    this.hashes = new Uint8Array(this.#numbers.buffer, 0, hashesBytes);
    this.id = new Uint8Array(this.#numbers.buffer, hashesBytes);
  }

  /** False for what is not canonical, and for strings that are not ASCII: the definition knows those. */
  read(bytes: Uint8Array): boolean {
    return this.readCanonical(bytes) && this.#isAscii();
  }

  /** The same for strings of any characters, which are not checked. */
  readCanonical(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#at = 0;
    this.hasId = false;
    this.hasEncoded = bytes[0] === tags.encoded;
    if (this.hasEncoded && !this.#encoded()) return false;
    this.hasText = bytes[this.#at] === tags.text;
    if (this.hasText && !this.#texts()) return false;
    return this.#at === bytes.length;
  }

  /** The hashes as text of 16 bits a character: equal for equal hashes. */
  get prefix(): string {
    const view = this.#numbers;
    const unit = (index: number): number => view.getUint16(index * 2, true);
    return String.fromCharCode(
      ...[unit(0), unit(1), unit(2), unit(3), unit(4), unit(5)],
      ...[unit(6), unit(7), unit(8), unit(9), unit(10), unit(11)],
    );
  }

  get high(): bigint {
    return this.#numbers.getBigUint64(hashesBytes, true);
  }

  get low(): bigint {
    return this.#numbers.getBigUint64(hashesBytes + 8, true);
  }

  #encoded(): boolean {
    const end = this.#end();
    for (let index = 0; index < hashTags.length; index += 1) {
      if (!this.#number(index, hashTags[index], end)) return false;
    }
    this.hasId = this.#at < end && this.#bytes[this.#at] === tags.id;
    return (!this.hasId || this.#halves(end)) && this.#at === end;
  }

  #halves(limit: number): boolean {
    const end = this.#end();
    for (let index = 0; index < halfTags.length; index += 1) {
      if (!this.#number(hashTags.length + index, halfTags[index], end)) return false;
    }
    return this.#at === end && end <= limit;
  }

  #texts(): boolean {
    const end = this.#end();
    for (let index = 0; index < textTags.length; index += 1) {
      if (!this.#text(index, textTags[index], end)) return false;
    }
    return this.#at === end;
  }

  #text(index: number, tag: number | undefined, limit: number): boolean {
    const isThere = this.#at < limit && this.#bytes[this.#at] === tag;
    const end = isThere ? this.#end() : this.#at;
    this.texts[index * 2] = this.#at;
    this.texts[index * 2 + 1] = end;
    // An empty string is not written.
    if (isThere && this.#at === end) return false;
    this.#at = end;
    return true;
  }

  #isAscii(): boolean {
    if (!this.hasText) return true;
    const [start = 0] = this.texts;
    for (let at = start; at < this.#bytes.length; at += 1) {
      if ((this.#bytes[at] ?? 0) > 0x7f) return false;
    }
    return true;
  }

  /** Passes tag and length. Where the content ends; NaN when the length is not as short as can be. */
  #end(): number {
    let length = 0;
    for (let shift = 0; shift < maxLengthBits; shift += 7) {
      this.#at += 1;
      const byte = this.#bytes[this.#at] ?? 0x80;
      length |= (byte & 0x7f) << shift;
      if (byte > 0x7f) continue;
      this.#at += 1;
      return byte === 0 && shift > 0 ? NaN : this.#at + length;
    }
    return NaN;
  }

  /** A number that is not there is 0, which is not written. */
  #number(index: number, tag: number | undefined, end: number): boolean {
    let low = 0;
    let high = 0;
    if (this.#at < end && this.#bytes[this.#at] === tag) {
      let byte = 0x80;
      let length = 0;
      while (byte > 0x7f) {
        byte = this.#bytes[this.#at + 1 + length] ?? 0;
        const bits = byte & 0x7f;
        if (length < 5) low |= bits << (length * 7);
        if (length === 4) high = bits >>> 4;
        if (length > 4) high |= bits << (length * 7 - 32);
        length += 1;
        if (length === 10 && byte > 1) return false;
      }
      if (byte === 0) return false;
      this.#at += 1 + length;
    }
    this.#numbers.setUint32(index * 8, low, true);
    this.#numbers.setUint32(index * 8 + 4, high, true);
    return true;
  }
}
