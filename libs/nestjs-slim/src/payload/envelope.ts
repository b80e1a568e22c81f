import {
  bool,
  message,
  optionalBytes,
  string,
  textMap,
  uint32,
  type Infer,
} from '@nestjs-slim/core/protobuf';

/** The payload type of messages whose payload is an envelope. */
export const envelopePayloadType = 'application/vnd.nestjs-slim.v1';

// enum Kind. 0 is unspecified; numbers that are not known are ignored by whoever receives them.
export const envelopeKind = {
  request: 1,
  event: 2,
  item: 3,
  end: 4,
  error: 5,
  cancel: 6,
  credit: 7,
} as const;

// message Envelope {
//   Kind                kind           = 1;
//   uint32              correlation_id = 2;
//   string              operation      = 3;
//   uint32              deadline_ms    = 4;
//   map<string, string> metadata       = 5;
//   string              content_type   = 6;
//   optional bytes      data           = 7;
//   bool                last           = 8;
//   uint32              credit         = 9;
//   uint32              sequence       = 10;
//   bool                streams        = 11;
//   bool                bundles        = 12;
// }
const envelope = message({
  kind: uint32(1),
  correlationId: uint32(2),
  operation: string(3),
  deadlineMs: uint32(4),
  metadata: textMap(5),
  contentType: string(6),
  data: optionalBytes(7),
  last: bool(8),
  credit: uint32(9),
  sequence: uint32(10),
  streams: bool(11),
  bundles: bool(12),
});

/** What our own services say to each other inside a session (proto/envelope.proto). */
export type Envelope = Infer<typeof envelope>;

/** The bytes of an envelope; fields that are not given hold their defaults. */
export function encodeEnvelope(fields: Partial<Envelope>): Uint8Array {
  return envelope.encode(fields);
}

/** @throws SlimError `malformed-frame`. The data is a view of `bytes`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  return envelope.decode(bytes);
}
