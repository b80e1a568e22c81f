import type { PublishOptions } from '@nestjs-slim/core';

/** Text as it is published: said to be JSON when it is an object or an array, otherwise to be text. */
export function textPayload(text: string): readonly [payload: Uint8Array, options: PublishOptions] {
  const payloadType = isJson(text) ? 'application/json' : 'text/plain';
  return [Buffer.from(text), { payloadType }];
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    // Then it is text.
    return false;
  }
}
