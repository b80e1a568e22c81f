const encoder = new TextEncoder();

/** Buffer that a writer keeps for its next message. */
const maxKeptBytes = 64 * 1024;

/**
 * Writes protobuf wire format, and the little-endian integers of the header MAC, into one growing
 * buffer. Bytes given to it are copied.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** A copy of what was written, owned by the caller. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  /** What was written, as a view that the next write may change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Starts over. A buffer that one long message grew is not kept. */
  reset(): this {
    if (this.#bytes.length > maxKeptBytes) this.#bytes = new Uint8Array(maxKeptBytes);
    this.#at = 0;
    return this;
  }

  /** An unsigned integer below 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    this.#putVarint(value);
  }

  varint64(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  uint32LittleEndian(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
  }

  uint64LittleEndian(value: bigint): void {
    this.uint32LittleEndian(Number(value & 0xffff_ffffn));
    this.uint32LittleEndian(Number((value >> 32n) & 0xffff_ffffn));
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  string(text: string): void {
    if (!this.#shortAscii(text)) this.#utf8(text);
  }

  /** Most strings here are: no call into the encoder, and a length that is known (bench case `Nest request/response`). */
  #shortAscii(text: string): boolean {
    const { length } = text;
    if (length > 0x7f) return false;
    this.#reserve(1 + length);
    const start = this.#at + 1;
    for (let at = 0; at < length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) return false;
      this.#bytes[start + at] = unit;
    }
    this.#bytes[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  #utf8(text: string): void {
    this.delimited(() => {
      this.#reserve(text.length * 3);
      const target = this.#bytes.subarray(this.#at);
      this.#at += encoder.encodeInto(text, target).written;
    });
  }

  /** Whatever `write` writes, preceded by its length. */
  delimited(write: () => void): void {
    // One byte is enough for most lengths; longer ones push the content back once.
    this.#reserve(1);
    const start = this.#at;
    this.#at += 1;
    write();
    const length = this.#at - start - 1;
    const extra = lengthOfVarint(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + 1 + extra, start + 1, this.#at);
    }
    this.#at = start;
    // Into the room that is there: growing now would lose the content, which lies ahead.
    this.#putVarint(length);
    this.#at += length;
  }

  #putVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** Bytes a varint of that value takes. */
export function lengthOfVarint(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length += 1;
  return length;
}
