import { SlimError } from '@nestjs-slim/core';

// Length-Prefixed-Message → Compressed-Flag Message-Length Message          (gRPC over HTTP/2)
//   Compressed-Flag   1 byte, 0: no compression is offered on a link
//   Message-Length    4 bytes, big-endian
export const prefixBytes = 5;
/** Up to here the memory for a split frame is taken at once, beyond it only as the bytes come in. */
const eagerBytes = 64 * 1024;

/** Writes the prefix of a frame. Returns where the frame begins. */
export function putPrefix(out: Uint8Array, at: number, frameLength: number): number {
  out[at] = 0;
  out[at + 1] = frameLength >>> 24;
  out[at + 2] = frameLength >>> 16;
  out[at + 3] = frameLength >>> 8;
  out[at + 4] = frameLength;
  return at + prefixBytes;
}

/** True when the prefix of a frame of that length lies there. */
export function hasPrefix(bytes: Uint8Array, at: number, frameLength: number): boolean {
  return bytes[at] === 0 && lengthAt(bytes, at) === frameLength;
}

/** The length that the prefix there announces. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 1] ?? 0) << 24) | ((bytes[at + 2] ?? 0) << 16);
  return (high | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0)) >>> 0;
}

/** How many bytes a frame takes on the wire. */
export function framedBytes(frame: Uint8Array): number {
  return prefixBytes + frame.length;
}

/** Puts frames one after the other, each behind its prefix, into one new buffer. */
export function encodeGrpcFrames(frames: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const frame of frames) length += framedBytes(frame);
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const frame of frames) {
    at = putPrefix(out, at, frame.length);
    out.set(frame, at);
    at += frame.length;
  }
  return out;
}

/** Cuts a byte stream, which comes in chunks with any boundaries, back into frames. */
export class GrpcFrameDecoder {
  readonly #maxFrameBytes: number;
  readonly #prefix = new Uint8Array(prefixBytes);
  #prefixLength = 0;
  #frameLength = 0;
  /** What there is of a split frame, behind its prefix: so it can be passed on as it is. */
  #partial = new Uint8Array();
  #partialLength = 0;
  #completedFrames = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** How many frames came so far. */
  get completedFrames(): number {
    return this.#completedFrames;
  }

  /** True when the last chunk ended within a frame. */
  get isMidFrame(): boolean {
    return this.#prefixLength > 0;
  }

  /**
   * Hands every frame that `chunk` completes to `keep`: a view of the chunk where the frame lies in
   * it as a whole, a copy otherwise. After it threw, the stream cannot be read any further.
   * @throws SlimError `message-too-large`, `malformed-frame`
   */
  push(chunk: Uint8Array, keep: (frame: Uint8Array) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefixLength < prefixBytes) at = this.#readPrefix(chunk, at);
      if (this.#prefixLength < prefixBytes) return;
      const missing = this.#frameLength - this.#partialLength;
      const end = Math.min(at + missing, chunk.length);
      if (end - at < missing) return this.#append(chunk.subarray(at, end));
      keep(this.#complete(chunk, at, end));
      at = end;
    }
  }

  /** Takes what the chunk has of the prefix. Returns where the rest of the chunk begins. */
  #readPrefix(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#prefixLength < prefixBytes) {
      this.#prefix[this.#prefixLength++] = chunk[at++] ?? 0;
    }
    if (this.#prefixLength === prefixBytes) this.#frameLength = this.#checkedLength();
    return at;
  }

  #checkedLength(): number {
    const [flag = 0] = this.#prefix;
    if (flag !== 0) {
      throw new SlimError('malformed-frame', `expected an uncompressed frame, got flag ${flag}`);
    }
    const length = lengthAt(this.#prefix, 0);
    if (length > this.#maxFrameBytes) {
      const what = `a frame of ${length} bytes, the limit is ${this.#maxFrameBytes}`;
      throw new SlimError('message-too-large', what);
    }
    return length;
  }

  #complete(chunk: Uint8Array, at: number, end: number): Uint8Array {
    this.#prefixLength = 0;
    this.#completedFrames += 1;
    if (this.#partialLength === 0) {
      return new Uint8Array(chunk.buffer, chunk.byteOffset + at, end - at);
    }
    this.#append(chunk.subarray(at, end));
    const frame = new Uint8Array(this.#partial.buffer, prefixBytes, this.#frameLength);
    this.#partial = new Uint8Array();
    this.#partialLength = 0;
    return frame;
  }

  /** Memory doubles as bytes arrive, so that announcing a large frame costs the receiver nothing. */
  #append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const length = this.#partialLength + bytes.length;
    const room = this.#partial.length;
    if (prefixBytes + length > room) {
      this.#grow(Math.max(eagerBytes, prefixBytes + length, 2 * room));
    }
    this.#partial.set(bytes, prefixBytes + this.#partialLength);
    this.#partialLength = length;
  }

  /** Never beyond the end of the frame, which is why a whole one fills its memory. */
  #grow(wanted: number): void {
    // Not filled with zeros: a frame is handed out only when every byte of it has come.
    const grown = Buffer.allocUnsafeSlow(Math.min(wanted, prefixBytes + this.#frameLength));
    grown.set(this.#partial.length > 0 ? this.#partial : this.#prefix);
    this.#partial = grown;
  }
}
