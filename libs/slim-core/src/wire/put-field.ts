// Fields of frames that are written by hand, into a buffer that has room for them. Both return where they end.

/** A tag of one byte and a varint of up to 32 bits: a value, or the length of a field. */
export function putNumber(out: Uint8Array, at: number, tag: number, value: number): number {
  let end = at;
  out[end++] = tag;
  let rest = value;
  while (rest > 0x7f) {
    out[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[end++] = rest;
  return end;
}

/** A tag of one byte, the length and the bytes. */
export function putBytes(out: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  const start = putNumber(out, at, tag, bytes.length);
  out.set(bytes, start);
  return start + bytes.length;
}
