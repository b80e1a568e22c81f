import { BoundedMemo } from './bounded-memo.js';
import { lengthOfVarint } from './byte-writer.js';
import type { ApplicationPayload } from './frame.js';
import { putBytes, putNumber } from './put-field.js';
import type { SessionHeader } from './session-header.js';

// What almost every frame of a busy link is, written by hand because the definitions in `frame.ts` take four
// times as long (bench case `one-way`); they are the oracle in the tests. No metadata, no command:
//
//   1a Publish { 0a SLIMHeader, 12 SessionHeader { 08, 10, 18, 20 },
//                1a Content { 0a ApplicationPayload { 0a payload_type, 12 blob } } }
export const dataFrameTags = {
  publish: 0x1a,
  header: 0x0a,
  session: 0x12,
  content: 0x1a,
  application: 0x0a,
  payloadType: 0x0a,
  blob: 0x12,
  sessionType: 0x08,
  messageType: 0x10,
  sessionId: 0x18,
  messageId: 0x20,
} as const;

/** The frame of a data message, as `frame.encode` writes it; `header` is encoded already. */
export function encodeDataFrame(
  header: Uint8Array,
  session: SessionHeader,
  { payloadType, blob }: ApplicationPayload,
): Uint8Array<ArrayBuffer> {
  const tags = dataFrameTags;
  const type = encodedType(payloadType);
  const sessionLength = lengthOfSession(session);
  const payloadLength = lengthOfOptional(type) + lengthOfOptional(blob);
  const contentLength = lengthOfField(payloadLength);
  const publishLength =
    lengthOfField(header.length) + lengthOfField(sessionLength) + lengthOfField(contentLength);

  const out = new Uint8Array(lengthOfField(publishLength));
  let at = putNumber(out, 0, tags.publish, publishLength);
  at = putBytes(out, at, tags.header, header);
  at = putNumber(out, at, tags.session, sessionLength);
  at = putUnlessZero(out, at, tags.sessionType, session.sessionType);
  at = putUnlessZero(out, at, tags.messageType, session.messageType);
  at = putUnlessZero(out, at, tags.sessionId, session.sessionId);
  at = putUnlessZero(out, at, tags.messageId, session.messageId);
  at = putNumber(out, at, tags.content, contentLength);
  at = putNumber(out, at, tags.application, payloadLength);
  if (type.length > 0) at = putBytes(out, at, tags.payloadType, type);
  if (blob.length > 0) putBytes(out, at, tags.blob, blob);
  return out;
}

const encoder = new TextEncoder();
/** Bounded, because applications may make up payload types. */
const encodedTypes = new BoundedMemo<string, Uint8Array>(128);

function encodedType(payloadType: string): Uint8Array {
  const known = encodedTypes.get(payloadType);
  if (known) return known;
  const bytes = encoder.encode(payloadType);
  encodedTypes.set(payloadType, bytes);
  return bytes;
}

function lengthOfSession({
  sessionType,
  messageType,
  sessionId,
  messageId,
}: SessionHeader): number {
  return (
    lengthUnlessZero(sessionType) +
    lengthUnlessZero(messageType) +
    lengthUnlessZero(sessionId) +
    lengthUnlessZero(messageId)
  );
}

/** With a tag of one byte. */
const lengthOfField = (length: number): number => 1 + lengthOfVarint(length) + length;
const lengthOfOptional = ({ length }: Uint8Array): number =>
  length === 0 ? 0 : lengthOfField(length);
const lengthUnlessZero = (value: number): number => (value === 0 ? 0 : 1 + lengthOfVarint(value));

function putUnlessZero(out: Uint8Array, at: number, tag: number, value: number): number {
  return value === 0 ? at : putNumber(out, at, tag, value);
}
