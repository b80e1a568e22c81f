import { hasPrefix, prefixBytes, putPrefix } from './grpc-framing.js';

/** From here on a piece of its own costs less than a copy (bench case `node forwarding`, 16384 B). */
const pieceBytes = 4 * 1024;
/** A piece holds all the memory it lies in: of that, no more than this many times its own length. */
const heldFactor = 4;

/** Part of a memory that is written: frames with their prefixes, or one frame that has none in front. */
interface Span {
  readonly memory: Uint8Array;
  readonly start: number;
  end: number;
  readonly lacksPrefix: boolean;
}

/**
 * Lays frames one after the other, each behind its prefix, in few pieces: small frames are copied into
 * one, large ones are taken as they are. So are neighbours that lie behind their prefixes in one memory,
 * as the decoder cuts them and a node forwards them. Prefixes are compared there, never written: what
 * lies in front of a frame may be somebody else's. `encodeGrpcFrames` is the oracle in the tests.
 */
export function packFrames(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let small: Span[] = [];
  for (const span of spansOf(frames)) {
    if (!isPiece(span)) {
      small.push(span);
      continue;
    }
    if (small.length > 0 || span.lacksPrefix) pieces.push(joined(small, span));
    pieces.push(span.memory.subarray(span.start, span.end));
    small = [];
  }
  if (small.length > 0) pieces.push(joined(small, undefined));
  return pieces;
}

/** Neighbours become one span. */
function spansOf(frames: readonly Uint8Array[]): readonly Span[] {
  const spans: Span[] = [];
  let last: Span | undefined;
  for (const frame of frames) {
    if (last && continues(last, frame)) last.end += prefixBytes + frame.length;
    else spans.push((last = spanOf(frame)));
  }
  return spans;
}

function continues({ memory, end, lacksPrefix }: Span, frame: Uint8Array): boolean {
  if (lacksPrefix || frame.byteOffset !== end + prefixBytes) return false;
  return frame.buffer === memory.buffer && hasPrefix(memory, end, frame.length);
}

function spanOf(frame: Uint8Array): Span {
  const { byteOffset, length } = frame;
  const start = byteOffset - prefixBytes;
  if (start >= 0) {
    const memory = new Uint8Array(frame.buffer);
    const end = byteOffset + length;
    if (hasPrefix(memory, start, length)) return { memory, start, end, lacksPrefix: false };
  }
  return { memory: frame, start: 0, end: length, lacksPrefix: true };
}

function isPiece({ memory, start, end }: Span): boolean {
  const length = end - start;
  return length >= pieceBytes && length * heldFactor >= memory.buffer.byteLength;
}

/** Copies spans into one piece, and behind them the prefix of the next one where that lacks it. */
function joined(spans: readonly Span[], next: Span | undefined): Uint8Array {
  let length = next?.lacksPrefix ? prefixBytes : 0;
  for (const { start, end, lacksPrefix } of spans) {
    length += end - start + (lacksPrefix ? prefixBytes : 0);
  }
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { memory, start, end, lacksPrefix } of spans) {
    if (lacksPrefix) at = putPrefix(out, at, end - start);
    out.set(lacksPrefix ? memory : memory.subarray(start, end), at);
    at += end - start;
  }
  if (next?.lacksPrefix) putPrefix(out, at, next.end);
  return out;
}
