import { SlimError } from '@nestjs-slim/core';
import type { PayloadCodec } from '../payload-codec.js';

/** A value as it stands in an envelope; no data means `undefined`. Text goes as UTF-8. */
export interface EncodedValue {
  readonly contentType: string;
  readonly data: Uint8Array | string | undefined;
}

/** The content type of JSON. */
export const jsonType = 'application/json';
const octets = 'application/octet-stream';
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes as they are, everything else by the codec, or as JSON.
 * @throws SlimError `malformed-frame` for what cannot be expressed, such as a cycle in JSON
 */
export function encodeValue(value: unknown, codec?: PayloadCodec): EncodedValue {
  if (value instanceof Uint8Array) return { contentType: octets, data: value };
  if (codec && value !== undefined) {
    return { contentType: codec.contentType, data: codec.encode(value) };
  }
  const text = toJson(value);
  if (text === undefined) return { contentType: '', data: undefined };
  return { contentType: jsonType, data: text };
}

/** Whatever codec the other side has, JSON and bytes are read too. @throws SlimError `malformed-frame` */
export function decodeValue({ contentType, data }: EncodedValue, codec?: PayloadCodec): unknown {
  if (data === undefined) return undefined;
  if (typeof data === 'string')
    return decodeValue({ contentType, data: encoder.encode(data) }, codec);
  if (contentType === octets) return data;
  if (contentType === jsonType) return parseJson(data);
  if (codec && contentType === codec.contentType) return codec.decode(data);
  const known = codec
    ? `${jsonType}, ${octets} or ${codec.contentType}`
    : `${jsonType} or ${octets}`;
  throw new SlimError('malformed-frame', `expected ${known}, got "${contentType}"`);
}

/** @throws SlimError `malformed-frame` */
export function parseText(data: Uint8Array): string {
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString();
  // Four times as fast as the decoder, but it replaces what is not UTF-8 instead of refusing it.
  if (!text.includes('\ufffd')) return text;
  try {
    return decoder.decode(data);
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', 'the data is not UTF-8');
  }
}

/** @throws SlimError `malformed-frame` */
export function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(parseText(data)) as unknown;
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', 'the data is not JSON');
  }
}

/**
 * The text of a value; undefined for what has none, such as `undefined` and functions.
 * @throws SlimError `malformed-frame`
 */
export function toJson(value: unknown): string | undefined {
  try {
    // Its declaration leaves out that it gives undefined for undefined.
    return JSON.stringify(value) as string | undefined;
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', 'the value cannot be written as JSON');
  }
}
