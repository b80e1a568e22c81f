import { message, repeatedBytes } from '@nestjs-slim/core/protobuf';

/** The payload type of messages whose payload is a bundle. */
export const bundlePayloadType = 'application/vnd.nestjs-slim.v1.bundle';

// message Bundle { repeated bytes envelopes = 1; }
const bundle = message({ envelopes: repeatedBytes(1) });

/** Encoded envelopes as one payload (proto/envelope.proto). */
export function encodeBundle(envelopes: readonly Uint8Array[]): Uint8Array {
  return bundle.encode({ envelopes });
}

/** The encoded envelopes, views of `bytes`. @throws SlimError `malformed-frame` */
export function decodeBundle(bytes: Uint8Array): readonly Uint8Array[] {
  return bundle.decode(bytes).envelopes;
}
