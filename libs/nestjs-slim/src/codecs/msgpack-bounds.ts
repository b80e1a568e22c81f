import { SlimError } from '@nestjs-slim/core';

/** As deep as the library writes. */
const maxDepth = 100;

/** What follows a head of 0xc0 to 0xdf: bytes, or a length of that many bytes and what it counts. */
type Format =
  | { readonly kind: 'bytes'; readonly size: number }
  | { readonly kind: 'counted'; readonly lengthBytes: number; readonly extraBytes: number }
  | { readonly kind: 'items'; readonly lengthBytes: number; readonly perItem: 1 | 2 };

const bytes = (...sizes: number[]): Format[] => sizes.map((size) => ({ kind: 'bytes', size }));
const counted = (extraBytes: number): Format[] =>
  [1, 2, 4].map((lengthBytes) => ({ kind: 'counted', lengthBytes, extraBytes }));
const items = (perItem: 1 | 2): Format[] =>
  [2, 4].map((lengthBytes) => ({ kind: 'items', lengthBytes, perItem }));

/** The specification's table of formats from 0xc0 on. */
const formats: readonly Format[] = [
  ...bytes(0, 0, 0, 0), // nil, (never used), false, true
  ...counted(0), // bin 8, 16, 32
  ...counted(1), // ext 8, 16, 32, with its type
  ...bytes(4, 8), // float 32, 64
  ...bytes(1, 2, 4, 8), // uint 8 to 64
  ...bytes(1, 2, 4, 8), // int 8 to 64
  ...bytes(2, 3, 5, 9, 17), // fixext 1 to 16, with its type
  ...counted(0), // str 8, 16, 32
  ...items(1), // array 16, 32
  ...items(2), // map 16, 32
];

/**
 * Checks that arrays and maps claim no more items than there are bytes left. The library allocates what they
 * claim: a few nested heads of five bytes would take gigabytes.
 * @throws SlimError `malformed-frame`
 */
export function checkMsgpackBounds(data: Uint8Array): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  // Items still to come, in all and in each open array or map. Each takes one byte at least.
  const open = [1];
  let pending = 1;
  let at = 0;
  for (let left = open.pop(); left !== undefined; left = open.pop()) {
    if (left === 0) continue;
    if (pending > data.length - at) throw malformed('items run past the end');
    const { size, items: inside } = extentAt(view, at);
    at += size;
    pending += inside - 1;
    open.push(left - 1);
    if (inside > 0) open.push(inside);
    if (open.length > maxDepth + 1) throw malformed(`it is nested deeper than ${maxDepth}`);
  }
}

/** How many bytes a value takes without the items in it, and how many those are. */
function extentAt(view: DataView, at: number): { readonly size: number; readonly items: number } {
  const head = view.getUint8(at);
  if (head < 0x80 || head >= 0xe0) return { size: 1, items: 0 };
  if (head < 0x90) return { size: 1, items: (head & 0x0f) * 2 };
  if (head < 0xa0) return { size: 1, items: head & 0x0f };
  if (head < 0xc0) return { size: 1 + (head & 0x1f), items: 0 };
  const format = formats[head - 0xc0] ?? { kind: 'bytes', size: 0 };
  if (format.kind === 'bytes') return { size: 1 + format.size, items: 0 };
  const { lengthBytes } = format;
  const length = lengthAt(view, at + 1, lengthBytes);
  const size = 1 + lengthBytes;
  return format.kind === 'items'
    ? { size, items: length * format.perItem }
    : { size: size + format.extraBytes + length, items: 0 };
}

function lengthAt(view: DataView, at: number, lengthBytes: number): number {
  if (at + lengthBytes > view.byteLength) throw malformed('a length runs past the end');
  if (lengthBytes === 1) return view.getUint8(at);
  return lengthBytes === 2 ? view.getUint16(at) : view.getUint32(at);
}

function malformed(why: string): SlimError {
  return new SlimError('malformed-frame', `the data is not MessagePack: ${why}`);
}
