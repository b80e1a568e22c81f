import { SlimError } from '../errors/slim-error.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The four wire types that proto3 messages use. */
export const wireType = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/**
 * Reads protobuf wire format from a view; nothing is copied.
 * @throws SlimError `malformed-frame` from every method that runs past the end or meets bad bytes.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Offset of the next byte in the array given to the constructor. */
  get offset(): number {
    return this.#at;
  }

  /** A varint whose value is cut to 49 bits, more than any length or 32-bit field needs. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 49) value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed('a varint is longer than ten bytes');
  }

  uint32(): number {
    const start = this.#at;
    const value = this.varint();
    // A varint of five bytes or fewer was read exactly; a longer one is a 64-bit value, cut to 32 bits.
    if (this.#at - start <= 5) return value >>> 0;
    this.#at = start;
    return Number(this.varint64() & 0xffff_ffffn);
  }

  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a varint is longer than ten bytes');
  }

  /** A view of the next length-delimited field. */
  bytes(): Uint8Array {
    const end = this.#delimitedEnd();
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    const view = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return view;
  }

  bool(): boolean {
    const start = this.#at;
    const value = this.varint();
    // What is set may lie in the bits that are cut off.
    if (value !== 0 || this.#at - start <= 7) return value !== 0;
    this.#at = start;
    return this.varint64() !== 0n;
  }

  string(): string {
    return utf8Text(this.bytes());
  }

  /** A reader for the next length-delimited field, which this reader then has passed. */
  message(): ProtobufReader {
    const end = this.#delimitedEnd();
    const inner = new ProtobufReader(this.#bytes, this.#at, end);
    this.#at = end;
    return inner;
  }

  /** Passes a field that is not known. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wireType.varint:
        this.varint64();
        return;
      case wireType.fixed64:
        this.#advance(8);
        return;
      case wireType.delimited:
        this.#at = this.#delimitedEnd();
        return;
      case wireType.fixed32:
        this.#advance(4);
        return;
      default:
        throw malformed(`unknown wire type ${tag & 7}`);
    }
  }

  /** The next tag (field number and wire type). */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffff_ffff) throw malformed(`field number ${Math.floor(tag / 8)}`);
    return tag;
  }

  #delimitedEnd(): number {
    const end = this.varint() + this.#at;
    if (end > this.#end) throw malformed('a field runs past the end');
    return end;
  }

  #advance(count: number): void {
    if (this.#at + count > this.#end) throw malformed('a field runs past the end');
    this.#at += count;
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (byte === undefined) throw malformed('a field runs past the end');
    this.#at += 1;
    return byte;
  }
}

/** @throws SlimError `malformed-frame` for bytes that are not UTF-8 */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', 'a string is not UTF-8');
  }
}

function malformed(what: string): SlimError {
  return new SlimError('malformed-frame', `not a protobuf message: ${what}`);
}
