/** Buffer that a writer keeps for its next message. */
const maxKeptBytes = 64 * 1024;

/** Writes the TLS presentation language of MLS (RFC 9420 section 2.1) into one growing buffer. */
export class TlsWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  /** What was written, without a copy: good until something else is written. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Writes zero bytes until it is that long. */
  padTo(length: number): this {
    const count = Math.max(0, length - this.#at);
    this.#reserve(count);
    this.#bytes.fill(0, this.#at, this.#at + count);
    this.#at += count;
    return this;
  }

  /** Starts over. A buffer that one long message grew is not kept. */
  reset(): this {
    if (this.#bytes.length > maxKeptBytes) {
      this.#bytes = new Uint8Array(maxKeptBytes);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#at = 0;
    return this;
  }

  get length(): number {
    return this.#at;
  }

  uint8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  uint16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
    return this;
  }

  uint32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  uint64(value: bigint): this {
    this.#reserve(8);
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** `opaque<V>`: a length of one, two or four bytes, then the bytes. */
  opaque(bytes: Uint8Array): this {
    const { length } = bytes;
    if (length < 0x40) this.uint8(length);
    else if (length < 0x4000) this.uint16(0x4000 | length);
    else this.uint32((0x8000_0000 | length) >>> 0);
    return this.raw(bytes);
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
