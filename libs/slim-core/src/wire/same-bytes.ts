/**
 * True when the bytes from `start` to `end` are the known ones. From the end, where the headers and tokens of two
 * senders differ. For names and the like: what is secret is compared in constant time.
 */
export function isSameBytes(
  known: Uint8Array,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): boolean {
  if (known.length !== end - start) return false;
  for (let at = end - 1; at >= start; at -= 1) if (known[at - start] !== bytes[at]) return false;
  return true;
}
