import { ByteWriter } from './byte-writer.js';
import type { SlimHeader } from './header.js';
import { message, string, sub, uint32 } from './schema.js';
import type { SessionHeader } from './session-header.js';
import { wireName } from './wire-name.js';

// message HeaderIntegrityAad (reference: identity 6.1)
const headerIntegrityAad = message({
  version: uint32(1),
  source: sub(2, wireName),
  destination: sub(3, wireName),
  identity: string(4),
  sessionType: uint32(5),
  messageType: uint32(6),
  sessionId: uint32(7),
  messageId: uint32(8),
  payloadType: string(9),
});

type IntegrityHeader = Pick<SlimHeader, 'source' | 'destination' | 'identity'>;

const writer = new ByteWriter();
/** What the messages with one header begin with; they share the object on their way in and out. */
const beginnings = new WeakMap<IntegrityHeader, Uint8Array>();

/**
 * The bytes that a control message signs and that an MLS message authenticates: the end-to-end part of
 * both headers. `payloadType` is empty for control messages.
 */
export function headerIntegrityBytes(
  header: IntegrityHeader,
  session: SessionHeader,
  payloadType: string,
): Uint8Array<ArrayBuffer> {
  writer.reset().raw(beginningOf(header));
  headerIntegrityAad.writeTo({ ...session, payloadType }, writer);
  return writer.finish();
}

/** The first fields, encoded once for each header (bench case `one-way`, MLS on). */
function beginningOf(header: IntegrityHeader): Uint8Array {
  const known = beginnings.get(header);
  if (known) return known;
  const { source, destination, identity } = header;
  const bytes = headerIntegrityAad.encode({ version: 1, source, destination, identity });
  beginnings.set(header, bytes);
  return bytes;
}
