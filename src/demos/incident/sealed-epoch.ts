// struct { ProtocolVersion version = 1; WireFormat wire_format = 2; opaque group_id<V>; uint64 epoch; … }
const mls10 = 1;
const privateMessage = 2;

/**
 * The key epoch that a payload is sealed in, which its header says in the clear (RFC 9420, sections 6 and
 * 6.3); undefined for a payload that MLS did not seal.
 */
export function sealedEpoch(payload: Uint8Array): number | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.byteLength < 5) return undefined;
  if (view.getUint16(0) !== mls10 || view.getUint16(2) !== privateMessage) return undefined;
  // A length below 64 is one byte (section 2.1.2), and no group id is longer.
  const length = view.getUint8(4);
  const at = 5 + length;
  if (length > 63 || view.byteLength < at + 8) return undefined;
  return Number(view.getBigUint64(at));
}
