import { SlimError } from '../errors/slim-error.js';

/**
 * Reads the TLS presentation language of MLS (RFC 9420 section 2.1) from a view; nothing is copied.
 * @throws SlimError `mls-failure` from every method that runs past the end.
 */
export class TlsReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  raw(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** `opaque<V>`, as a view. */
  opaque(): Uint8Array {
    const first = this.uint8();
    const prefix = first >> 6;
    let length = first & 0x3f;
    if (prefix === 3) throw new SlimError('mls-failure', 'a length prefix of MLS is not valid');
    for (let more = prefix === 2 ? 3 : prefix; more > 0; more -= 1) {
      length = length * 256 + this.uint8();
    }
    return this.raw(length);
  }

  /** Where it stands, for `since`. */
  get position(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** A view of what was read since then. */
  since(position: number): Uint8Array {
    return this.#bytes.subarray(position, this.#at);
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.raw(this.left);
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) {
      throw new SlimError('mls-failure', 'an MLS message runs past its end');
    }
    this.#at = start + count;
    return start;
  }
}
