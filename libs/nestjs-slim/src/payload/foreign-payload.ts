import type { Metadata, SessionMessage } from '@nestjs-slim/core';
import { parseJson, parseText, toJson } from './value.js';

/** A payload as it is published. */
export interface ForeignPayload {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly metadata?: Metadata;
}

/** What the official SDK says when the application gives no payload type. */
const unspecifiedTypes = ['', 'msg'];
const json = 'application/json';
const plainText = 'text/plain';
const encoder = new TextEncoder();

/**
 * What a handler gets from a peer that sends no envelope: the parsed value when the payload says that it
 * is JSON, or says nothing and is a JSON object or array; text when it says that; otherwise the bytes.
 * @throws SlimError `malformed-frame` when it is not what it says
 */
export function readForeign({ payload, payloadType }: SessionMessage): unknown {
  const mediaType = mediaTypeOf(payloadType);
  if (mediaType === json || mediaType.endsWith('+json')) return parseJson(payload);
  if (mediaType === plainText) return parseText(payload);
  if (!unspecifiedTypes.includes(payloadType) || !looksLikeJson(payload)) return payload;
  try {
    return parseJson(payload);
  } catch {
    // It only looked like JSON, and nobody claimed that it is.
    return payload;
  }
}

/** What a handler's value looks like to such a peer; undefined when there is nothing to publish. */
export function writeForeign(value: unknown): ForeignPayload | undefined {
  if (value instanceof Uint8Array) {
    return { payload: value, payloadType: 'application/octet-stream' };
  }
  if (typeof value === 'string') {
    return { payload: encoder.encode(value), payloadType: plainText };
  }
  const text = toJson(value);
  return text === undefined ? undefined : { payload: encoder.encode(text), payloadType: json };
}

/** An error, marked so that the peer can tell it from a value. */
export function writeForeignError(error: unknown): ForeignPayload {
  const isObject = typeof error === 'object' && error !== null;
  const value = isObject ? error : { status: 'error', message: error ?? '' };
  const payload = encoder.encode(toJson(value));
  return { payload, payloadType: json, metadata: { 'slim-error': 'true' } };
}

/** `text/plain; charset=utf-8` is `text/plain`. */
function mediaTypeOf(payloadType: string): string {
  const [mediaType = ''] = payloadType.toLowerCase().split(';');
  return mediaType.trim();
}

function looksLikeJson(payload: Uint8Array): boolean {
  const first = payload.find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return first === 0x7b || first === 0x5b;
}
