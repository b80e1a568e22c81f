import type { TextMap } from '../wire/schema.js';
import type { PublishOptions } from './session.js';

/** What a data message carries. */
export interface Content {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly metadata: TextMap;
}

/** What a publish carries, with the defaults of the official peer. */
export function toContent(
  payload: Uint8Array,
  { payloadType = 'msg', metadata = {} }: PublishOptions,
): Content {
  return { payloadType, payload, metadata: new Map(Object.entries(metadata)) };
}
