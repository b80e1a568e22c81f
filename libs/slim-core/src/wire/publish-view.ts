import { SlimError } from '../errors/slim-error.js';
import { lengthOfVarint } from './byte-writer.js';
import { ProtobufReader } from './protobuf-reader.js';
import { putBytes, putNumber } from './put-field.js';
import { isSameBytes } from './same-bytes.js';
import { TagMemo } from './tag-memo.js';
import { internNameIn, type WireName } from './wire-name.js';

const noBytes = new Uint8Array(0);

const tags = {
  publish: 0x1a,
  publishHeader: 0x0a,
  sessionHeader: 0x12,
  source: 0x0a,
  destination: 0x12,
  identity: 0x1a,
  fanout: 0x20,
  ttl: 0x30,
  receivedFrom: 0x38,
  forwardTo: 0x40,
  incomingConnection: 0x48,
  error: 0x50,
  headerMac: 0x5a,
} as const;

/** Header fields that concern one hop only; they end at the node that reads them. */
const hopTags: ReadonlySet<number> = new Set([
  tags.ttl,
  tags.receivedFrom,
  tags.forwardTo,
  tags.incomingConnection,
  tags.headerMac,
]);

/** The fields under the tag of the next hop: `receivedFrom` and `forwardTo` end at every node. */
export interface HopFields {
  readonly source: WireName | undefined;
  readonly destination: WireName | undefined;
  readonly identity: Uint8Array;
  readonly fanout: number;
  readonly ttl: number;
  readonly error: boolean | undefined;
  readonly memo: TagMemo | undefined;
}

/** The header fields that a node looks at; byte fields are views of what it was read from. */
export class HeaderFields {
  source: WireName | undefined = undefined;
  destination: WireName | undefined = undefined;
  identity: Uint8Array = noBytes;
  fanout = 0;
  ttl = 0;
  receivedFrom: bigint | undefined = undefined;
  forwardTo: bigint | undefined = undefined;
  error: boolean | undefined = undefined;
  headerMac: Uint8Array | undefined = undefined;
  /** Where the value of the ttl lies in the header; undefined when it cannot be changed in its place. */
  ttlAt: number | undefined = undefined;
  /** Where the tag lies in the header. */
  macAt = 0;
  /** True while nothing was met that the next hop must not see, or that is there twice. */
  isPlain = true;
  /** There when the same header may come again. */
  readonly memo: TagMemo | undefined;
  readonly #start: number;
  #hop: HopFields | undefined;

  /** `start`: where the header begins in what it is read from. */
  constructor(start: number, isKept: boolean) {
    this.#start = start;
    this.memo = isKept ? new TagMemo() : undefined;
  }

  /** Takes the value of one field; others are passed over. */
  take(tag: number, from: ProtobufReader, frame: Uint8Array): void {
    switch (tag) {
      case tags.source:
        this.source = nameIn(frame, from);
        break;
      case tags.destination:
        this.destination = nameIn(frame, from);
        break;
      case tags.identity:
        this.identity = from.bytes();
        break;
      case tags.fanout:
        this.fanout = from.uint32();
        break;
      case tags.ttl:
        this.#takeTtl(from);
        break;
      case tags.receivedFrom:
        this.isPlain = false;
        this.receivedFrom = from.varint64();
        break;
      case tags.forwardTo:
        this.isPlain = false;
        this.forwardTo = from.varint64();
        break;
      case tags.error:
        this.error = from.bool();
        break;
      case tags.headerMac:
        this.isPlain &&= this.headerMac === undefined;
        this.headerMac = from.bytes();
        this.macAt = from.offset - this.headerMac.length - this.#start;
        break;
      default:
        this.isPlain &&= tag !== tags.incomingConnection;
        from.skip(tag);
    }
  }

  /** What the next hop gets: one object for as long as the ttl is the same. */
  hop(ttl: number): HopFields {
    if (this.#hop?.ttl === ttl) return this.#hop;
    const { source, destination, identity, fanout, error } = this;
    const memo = this.memo && new TagMemo();
    return (this.#hop = { source, destination, identity, fanout, ttl, error, memo });
  }

  #takeTtl(from: ProtobufReader): void {
    this.isPlain &&= this.ttlAt === undefined;
    const at = from.offset;
    this.ttl = from.uint32();
    if (from.offset === at + 1) this.ttlAt = at - this.#start;
    else this.isPlain = false;
  }
}

/** A name that is read without a view of its bytes, which would cost more than finding it. */
function nameIn(frame: Uint8Array, from: ProtobufReader): WireName {
  const start = from.message().offset;
  return internNameIn(frame, start, from.offset);
}

/** From where to where something lies in a frame. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** What stays as it is at a hop, in the order of the wire. */
interface PassedOn {
  readonly header: readonly Uint8Array[];
  /** The Publish without its header, and the frame without its Publish. */
  readonly publish: readonly Uint8Array[];
  readonly frame: readonly Uint8Array[];
}

/** A Publish of which only the header was read. It keeps the frame and shares its memory. */
export class PublishView {
  readonly frame: Uint8Array;
  readonly header: HeaderFields;
  readonly destination: WireName;
  readonly #publish: Range;
  readonly #header: Range;
  #passedOn: PassedOn | undefined;

  constructor(frame: Uint8Array, publish: Range, header: Range, last: LastHeader | undefined) {
    this.frame = frame;
    this.#publish = publish;
    this.#header = header;
    this.header = last?.read(frame, header) ?? readHeader(frame, header);
    const { source, destination } = this.header;
    if (!source?.isRoutable || !destination?.isRoutable) throw malformed('a name is missing');
    this.destination = destination;
  }

  /** Where the header begins in the frame. */
  get headerStart(): number {
    return this.#header.start;
  }

  /** Views of the frame, found when they are needed. */
  get passedOn(): PassedOn {
    const { frame } = this;
    const all = { start: 0, end: frame.length };
    return (this.#passedOn ??= {
      header: partsWithout(frame, this.#header, (tag) => hopTags.has(tag)),
      publish: partsWithout(frame, this.#publish, (tag) => tag === tags.publishHeader),
      frame: partsWithout(frame, all, (tag) => tag === tags.publish),
    });
  }
}

/** True when the frame starts with a Publish, which everything but a strange encoder writes first. */
export function isPublish(frame: Uint8Array): boolean {
  return frame[0] === tags.publish;
}

/** Longer ones are read each time, so that foreign tokens cannot fill the memory. */
const maxKeptBytes = 4_096;

/**
 * The header that came last on a link, if it came more than once: messages of one sender to one receiver have the
 * same, byte for byte, and reading it costs more than all else that is read of them (bench case `node
 * forwarding`). One comparison and no copy, whatever comes: `RecentBytes` would take sixteen, and a copy of all that
 * is new. `readHeader` alone is the oracle in the tests.
 */
export class LastHeader {
  #bytes: Uint8Array | undefined;
  #header: HeaderFields | undefined;
  /** Of the last one that was read. */
  #source: WireName | undefined;
  #destination: WireName | undefined;

  /** The fields of the header in that range, the same object for equal ones. */
  read(frame: Uint8Array, range: Range): HeaderFields {
    const { start, end } = range;
    if (this.#header && this.#bytes && isSameBytes(this.#bytes, frame, start, end)) {
      return this.#header;
    }
    const header = readHeader(frame, range);
    const { source, destination } = header;
    const isAgain = source === this.#source && destination === this.#destination;
    this.#source = source;
    this.#destination = destination;
    if (!isAgain || end - start > maxKeptBytes) return header;
    this.#bytes = frame.slice(start, end);
    return (this.#header = readHeader(this.#bytes, { start: 0, end: end - start }, true));
  }
}

/**
 * Reads the header of a Publish, with `last` those of one link.
 * @throws SlimError `malformed-frame` when it is no Publish, or names or session header are missing.
 */
export function viewPublish(frame: Uint8Array, last?: LastHeader): PublishView {
  const publish = find(frame, { start: 0, end: frame.length }, tags.publish);
  const header = find(frame, publish, tags.publishHeader);
  if (!header.hasSession) throw malformed('no session header');
  return new PublishView(frame, publish, header, last);
}

interface Found extends Range {
  /** True when a session header is among the other fields. */
  readonly hasSession: boolean;
}

/** Finds the one field with that tag. */
function find(frame: Uint8Array, { start, end }: Range, wanted: number): Found {
  const from = new ProtobufReader(frame, start, end);
  let hasSession = false;
  let foundAt = -1;
  let foundEnd = 0;
  while (!from.done) {
    const tag = from.tag();
    if (tag === wanted) {
      if (foundAt >= 0) throw malformed('a field that must be single occurs twice');
      foundAt = from.message().offset;
      foundEnd = from.offset;
    } else {
      from.skip(tag);
      hasSession ||= tag === tags.sessionHeader;
    }
  }
  if (foundAt < 0) throw malformed('not a publish with a header');
  return { start: foundAt, end: foundEnd, hasSession };
}

function readHeader(frame: Uint8Array, { start, end }: Range, isKept = false): HeaderFields {
  const header = new HeaderFields(start, isKept);
  const from = new ProtobufReader(frame, start, end);
  while (!from.done) header.take(from.tag(), from, frame);
  return header;
}

/** The fields of a range but for some; neighbours become one part. */
function partsWithout(
  frame: Uint8Array,
  range: Range,
  isLeftOut: (tag: number) => boolean,
): readonly Uint8Array[] {
  const from = new ProtobufReader(frame, range.start, range.end);
  const parts: Uint8Array[] = [];
  let { start } = range;
  while (!from.done) {
    const end = from.offset;
    const tag = from.tag();
    from.skip(tag);
    if (!isLeftOut(tag)) continue;
    if (end > start) parts.push(frame.subarray(start, end));
    start = from.offset;
  }
  if (range.end > start) parts.push(frame.subarray(start, range.end));
  return parts;
}

/**
 * Writes ttl and tag for the next hop over those in the frame, which is handed back. Undefined, and nothing
 * is changed, where fields would have to come, go or move: `forwardPublish` is for those, and the oracle
 * in the tests. A copy costs more than all else that a node does (bench case `node forwarding`).
 */
export function patchPublish(
  { frame, header, headerStart }: PublishView,
  ttl: number,
  headerMac: Uint8Array | undefined,
): Uint8Array | undefined {
  const { isPlain, ttlAt, macAt, headerMac: before } = header;
  const fits = isPlain && ttlAt !== undefined && ttl > 0 && ttl <= 0x7f;
  if (!fits || before?.length !== headerMac?.length) return undefined;
  frame[headerStart + ttlAt] = ttl;
  if (headerMac) frame.set(headerMac, headerStart + macAt);
  return frame;
}

/**
 * Writes the frame anew for the next hop, with that ttl and, where the link authenticates headers,
 * that tag. The payload is copied, never looked at.
 */
export function forwardPublish(
  view: PublishView,
  ttl: number,
  headerMac: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const { passedOn } = view;
  const macLength = headerMac ? 2 + headerMac.length : 0;
  const headerLength = total(passedOn.header) + 1 + lengthOfVarint(ttl) + macLength;
  const publishLength = 1 + lengthOfVarint(headerLength) + headerLength + total(passedOn.publish);
  const frameLength = 1 + lengthOfVarint(publishLength) + publishLength + total(passedOn.frame);

  const out = new Uint8Array(frameLength);
  let at = putNumber(out, 0, tags.publish, publishLength);
  at = putNumber(out, at, tags.publishHeader, headerLength);
  at = copyAll(out, at, passedOn.header);
  at = putNumber(out, at, tags.ttl, ttl);
  if (headerMac) at = putBytes(out, at, tags.headerMac, headerMac);
  at = copyAll(out, at, passedOn.publish);
  copyAll(out, at, passedOn.frame);
  return out;
}

function total(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function copyAll(out: Uint8Array, at: number, parts: readonly Uint8Array[]): number {
  let offset = at;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return offset;
}

function malformed(what: string): SlimError {
  return new SlimError('malformed-frame', `not a publish: ${what}`);
}
