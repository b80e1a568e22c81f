/**
 * The same memory as a plain Uint8Array. A Buffer would pass as one, but its `slice` is a view where
 * the core relies on a copy.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
