import { SlimError } from '../errors/slim-error.js';
import { lengthOfVarint } from './byte-writer.js';
import { ProtobufReader } from './protobuf-reader.js';
import { internName, type WireName } from './wire-name.js';

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

/** The header fields that a node looks at; byte fields are views of the frame. */
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

  /** Takes the value of one field; others are passed over. */
  take(tag: number, from: ProtobufReader): void {
    switch (tag) {
      case tags.source:
        this.source = internName(from.bytes());
        break;
      case tags.destination:
        this.destination = internName(from.bytes());
        break;
      case tags.identity:
        this.identity = from.bytes();
        break;
      case tags.fanout:
        this.fanout = from.uint32();
        break;
      case tags.ttl:
        this.ttl = from.uint32();
        break;
      case tags.receivedFrom:
        this.receivedFrom = from.varint64();
        break;
      case tags.forwardTo:
        this.forwardTo = from.varint64();
        break;
      case tags.error:
        this.error = from.varint() !== 0;
        break;
      case tags.headerMac:
        this.headerMac = from.bytes();
        break;
      default:
        from.skip(tag);
    }
  }
}

/** A Publish read as far as a node needs it, without decoding or copying the rest. */
export interface PublishView {
  readonly header: HeaderFields;
  /** Routed by; present in every view. */
  readonly destination: WireName;
  /** Header fields that go on unchanged, those of later versions among them. */
  readonly headerRest: readonly Uint8Array[];
  /** The Publish without its header, and the frame without its Publish. */
  readonly publishRest: readonly Uint8Array[];
  readonly frameRest: readonly Uint8Array[];
}

/** True when the frame starts with a Publish, which everything but a strange encoder writes first. */
export function isPublish(frame: Uint8Array): boolean {
  return frame[0] === tags.publish;
}

/**
 * Reads the header of a Publish.
 * @throws SlimError `malformed-frame` when it is no Publish, or names or session header are missing.
 */
export function viewPublish(frame: Uint8Array): PublishView {
  const publish = takeField(frame, new ProtobufReader(frame), tags.publish);
  const header = takeField(frame, publish.field, tags.publishHeader);
  if (!header.hasSession) throw malformed('no session header');
  return {
    ...viewHeader(frame, header.field),
    publishRest: header.rest,
    frameRest: publish.rest,
  };
}

/** Collects the parts of a frame that are passed over; neighbours become one part. */
class Passed {
  readonly parts: Uint8Array[] = [];
  readonly #frame: Uint8Array;
  #start = 0;
  #end = 0;

  constructor(frame: Uint8Array) {
    this.#frame = frame;
  }

  add(start: number, end: number): void {
    if (start !== this.#end) {
      this.finish();
      this.#start = start;
    }
    this.#end = end;
  }

  finish(): readonly Uint8Array[] {
    if (this.#end > this.#start) this.parts.push(this.#frame.subarray(this.#start, this.#end));
    this.#start = this.#end;
    return this.parts;
  }
}

interface Taken {
  readonly field: ProtobufReader;
  readonly rest: readonly Uint8Array[];
  /** True when a session header is among the other fields. */
  readonly hasSession: boolean;
}

/** Finds the one field with that tag, and keeps all others as they are. */
function takeField(frame: Uint8Array, from: ProtobufReader, wanted: number): Taken {
  const passed = new Passed(frame);
  let hasSession = false;
  let field: ProtobufReader | undefined;
  while (!from.done) {
    const start = from.offset;
    const tag = from.tag();
    if (tag === wanted) {
      if (field) throw malformed('a field that must be single occurs twice');
      field = from.message();
    } else {
      from.skip(tag);
      hasSession ||= tag === tags.sessionHeader;
      passed.add(start, from.offset);
    }
  }
  if (!field) throw malformed('not a publish with a header');
  return { field, rest: passed.finish(), hasSession };
}

function viewHeader(
  frame: Uint8Array,
  from: ProtobufReader,
): Pick<PublishView, 'header' | 'destination' | 'headerRest'> {
  const header = new HeaderFields();
  const passed = new Passed(frame);
  while (!from.done) {
    const start = from.offset;
    const tag = from.tag();
    header.take(tag, from);
    if (!hopTags.has(tag)) passed.add(start, from.offset);
  }
  const { source, destination } = header;
  if (!source?.isRoutable || !destination?.isRoutable) throw malformed('a name is missing');
  return { header, destination, headerRest: passed.finish() };
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
  const macLength = headerMac ? 2 + headerMac.length : 0;
  const headerLength = total(view.headerRest) + 1 + lengthOfVarint(ttl) + macLength;
  const publishLength = 1 + lengthOfVarint(headerLength) + headerLength + total(view.publishRest);
  const frameLength = 1 + lengthOfVarint(publishLength) + publishLength + total(view.frameRest);

  const out = new Uint8Array(frameLength);
  let at = prefix(out, 0, tags.publish, publishLength);
  at = prefix(out, at, tags.publishHeader, headerLength);
  at = copyAll(out, at, view.headerRest);
  at = prefix(out, at, tags.ttl, ttl);
  if (headerMac) {
    at = prefix(out, at, tags.headerMac, headerMac.length);
    out.set(headerMac, at);
    at += headerMac.length;
  }
  at = copyAll(out, at, view.publishRest);
  copyAll(out, at, view.frameRest);
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

/** A tag of one byte and a varint: the length of a field, or its value. */
function prefix(out: Uint8Array, at: number, tag: number, value: number): number {
  let offset = at;
  out[offset++] = tag;
  let rest = value;
  while (rest > 0x7f) {
    out[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[offset++] = rest;
  return offset;
}

function malformed(what: string): SlimError {
  return new SlimError('malformed-frame', `not a publish: ${what}`);
}
