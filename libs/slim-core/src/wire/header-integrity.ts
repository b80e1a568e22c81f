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

/**
 * The bytes that a control message signs and that an MLS message authenticates: the end-to-end part of
 * both headers. `payloadType` is empty for control messages.
 */
export function headerIntegrityBytes(
  header: Pick<SlimHeader, 'source' | 'destination' | 'identity'>,
  session: SessionHeader,
  payloadType: string,
): Uint8Array<ArrayBuffer> {
  const { source, destination, identity } = header;
  return headerIntegrityAad.encode({
    version: 1,
    source,
    destination,
    identity,
    ...session,
    payloadType,
  });
}
