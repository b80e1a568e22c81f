import type { Clock } from '../clock/clock.js';
import { BoundedMemo } from '../wire/bounded-memo.js';
import type { PublishView } from '../wire/publish-view.js';
import { isSameBytes } from '../wire/same-bytes.js';
import type { WireName } from '../wire/wire-name.js';
import type { ConnectionId } from './categories.js';
import { maxNameBytes } from './node-limits.js';

/** A copy that took longer goes on once more; a sender that is silent for this long repeats a message. */
const rememberedMs = 1_000;
/** Frames that are remembered. A copy that took longer than as many others goes on once more. */
const rememberedFrames = 4_096;
/** Of a message these bytes are compared: session, number, and the beginning of what is in it. */
const comparedBytes = 64;

interface FirstCopy {
  readonly source: WireName | undefined;
  readonly destination: WireName;
  readonly start: Uint8Array;
  readonly from: ConnectionId;
  readonly atMs: number;
}

/**
 * Tells copies of a message to many that came by a second way, where replicas are linked in a ring and
 * pass messages on. The link that brought the first copy is the one it is taken from for a while, so a
 * sender that repeats a message reaches everybody again, and later so does one that moved elsewhere.
 */
export class FirstCopies {
  readonly #clock: Clock;
  readonly #copies = new BoundedMemo<number, FirstCopy>(rememberedFrames);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * `isThere` says whether a link is still there; what one brought that went is free again. Messages
   * with longer names than anybody may subscribe are not kept.
   */
  isRepeated(
    view: PublishView,
    from: ConnectionId,
    isThere: (connection: ConnectionId) => boolean,
  ): boolean {
    const { destination, header, passedOn } = view;
    if (isLong(header.source) || isLong(destination)) return false;
    const start = passedOn.publish[0]?.subarray(0, comparedBytes) ?? new Uint8Array();
    const hash = hashOf(start);
    const known = this.#copies.get(hash);
    const isSame =
      known !== undefined &&
      isSameName(known.source, header.source) &&
      isSameName(known.destination, destination) &&
      isSameBytes(known.start, start, 0, start.length);
    const atMs = this.#clock.now();
    const isRecent = isSame && atMs - known.atMs < rememberedMs;
    if (isRecent && known.from !== from && isThere(known.from)) return true;
    const { source } = header;
    this.#copies.set(hash, { source, destination, start: start.slice(), from, atMs });
    return false;
  }
}

const isLong = (name: WireName | undefined): boolean => (name?.bytes.length ?? 0) > maxNameBytes;

const isSameName = (a: WireName | undefined, b: WireName | undefined): boolean =>
  a === b || (a !== undefined && a.equals(b));

/** FNV-1a. Messages that collide push each other out. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
