import { SlimError } from '../errors/slim-error.js';
import { lengthOfVarint } from './byte-writer.js';
import { ProtobufReader } from './protobuf-reader.js';
import { internName, type WireName } from './wire-name.js';

const tags = {
  publish: 0x1a,
  publishHeader: 0x0a,
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

/**
 * What a node needs of a Publish, read without decoding or copying the rest. `pass` holds the parts of
 * the header that go on unchanged, fields of later versions among them; what only concerns one hop
 * (ttl, tag, receivedFrom, forwardTo, incomingConnection) is not in it.
 */
export interface PublishView {
  readonly source: WireName;
  readonly destination: WireName;
  readonly identity: Uint8Array;
  readonly fanout: number;
  readonly ttl: number;
  readonly receivedFrom: bigint | undefined;
  readonly forwardTo: bigint | undefined;
  readonly error: boolean | undefined;
  readonly headerMac: Uint8Array | undefined;
  /** Header fields below and above the tag in number, then the rest of the Publish and of the frame. */
  readonly passBefore: readonly Uint8Array[];
  readonly passAfter: readonly Uint8Array[];
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
  const frameRest: Uint8Array[] = [];
  const publish = takeField(frame, new ProtobufReader(frame), tags.publish, frameRest);
  const publishRest: Uint8Array[] = [];
  const header = takeField(frame, publish, tags.publishHeader, publishRest);
  if (!publishRest.some((field) => field[0] === 0x12)) throw malformed('no session header');
  return viewHeader(frame, header, publishRest, frameRest);
}

/** Finds the one field with that tag, and keeps all others as they are. */
function takeField(
  frame: Uint8Array,
  from: ProtobufReader,
  wanted: number,
  others: Uint8Array[],
): ProtobufReader {
  let found: ProtobufReader | undefined;
  while (!from.done) {
    const start = from.offset;
    const tag = from.tag();
    if (tag === wanted) {
      if (found) throw malformed('a field that must be single occurs twice');
      found = from.message();
    } else {
      from.skip(tag);
      others.push(frame.subarray(start, from.offset));
    }
  }
  if (!found) throw malformed('not a publish with a header');
  return found;
}

function viewHeader(
  frame: Uint8Array,
  header: ProtobufReader,
  publishRest: readonly Uint8Array[],
  frameRest: readonly Uint8Array[],
): PublishView {
  const passBefore: Uint8Array[] = [];
  const passAfter: Uint8Array[] = [];
  let source: WireName | undefined;
  let destination: WireName | undefined;
  let identity: Uint8Array = noBytes;
  let fanout = 0;
  let ttl = 0;
  let receivedFrom: bigint | undefined;
  let forwardTo: bigint | undefined;
  let error: boolean | undefined;
  let headerMac: Uint8Array | undefined;
  while (!header.done) {
    const start = header.offset;
    const tag = header.tag();
    switch (tag) {
      case tags.source:
        source = name(header);
        break;
      case tags.destination:
        destination = name(header);
        break;
      case tags.identity:
        identity = header.bytes();
        break;
      case tags.fanout:
        fanout = header.uint32();
        break;
      case tags.ttl:
        ttl = header.uint32();
        continue;
      case tags.receivedFrom:
        receivedFrom = header.varint64();
        continue;
      case tags.forwardTo:
        forwardTo = header.varint64();
        continue;
      case tags.incomingConnection:
        header.skip(tag);
        continue;
      case tags.error:
        error = header.varint() !== 0;
        break;
      case tags.headerMac:
        headerMac = header.bytes();
        continue;
      default:
        header.skip(tag);
    }
    (tag < tags.headerMac ? passBefore : passAfter).push(frame.subarray(start, header.offset));
  }
  if (!source?.isRoutable || !destination?.isRoutable) throw malformed('a name is missing');
  return {
    source,
    destination,
    identity,
    fanout,
    ttl,
    receivedFrom,
    forwardTo,
    error,
    headerMac,
    passBefore,
    passAfter,
    publishRest,
    frameRest,
  };
}

function name(header: ProtobufReader): WireName {
  return internName(header.bytes());
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
  const headerLength =
    total(view.passBefore) + 1 + lengthOfVarint(ttl) + macLength + total(view.passAfter);
  const publishLength = 1 + lengthOfVarint(headerLength) + headerLength + total(view.publishRest);
  const frameLength =
    1 + lengthOfVarint(publishLength) + publishLength + total(view.frameRest);

  const out = new Uint8Array(frameLength);
  let at = prefix(out, 0, tags.publish, publishLength);
  at = prefix(out, at, tags.publishHeader, headerLength);
  at = copyAll(out, at, view.passBefore);
  at = prefix(out, at, tags.ttl, ttl);
  if (headerMac) {
    at = prefix(out, at, tags.headerMac, headerMac.length);
    out.set(headerMac, at);
    at += headerMac.length;
  }
  at = copyAll(out, at, view.passAfter);
  at = copyAll(out, at, view.publishRest);
  copyAll(out, at, view.frameRest);
  return out;
}

const noBytes = new Uint8Array(0);

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
