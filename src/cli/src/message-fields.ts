import type { SessionMessage } from '@nestjs-slim/core';

/** What a line about a message says. */
export function messageFields({ payload, payloadType, source, metadata }: SessionMessage) {
  return {
    text: Buffer.from(payload).toString('utf8'),
    bytes: payload.length,
    payloadType,
    source: source.toString(),
    metadata,
  };
}
