import { SlimError, type PublishOptions, type SessionMessage } from '@nestjs-slim/core';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
} from '../payload/envelope.js';
import { readForeign, writeForeign } from '../payload/foreign-payload.js';
import { fromTexts, toTexts } from '../payload/metadata.js';
import { decodeValue, encodeValue } from '../payload/value.js';
import type { SlimPublishOptions } from './slim-channel-ref.js';

/** A message of a channel as a value. */
export interface ChannelValue {
  readonly data: unknown;
  readonly operation: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly isForeign: boolean;
}

/**
 * What a message says; undefined for an envelope that is no event, such as those of later versions.
 * @throws SlimError `malformed-frame`
 */
export function readChannelMessage(message: SessionMessage): ChannelValue | undefined {
  if (message.payloadType !== envelopePayloadType) {
    const { metadata } = message;
    return { data: readForeign(message), operation: '', metadata, isForeign: true };
  }
  const envelope = decodeEnvelope(message.payload);
  if (envelope.kind !== envelopeKind.event) return undefined;
  const metadata = fromTexts(envelope.metadata);
  return { data: decodeValue(envelope), operation: envelope.operation, metadata, isForeign: false };
}

/**
 * A value as it is published to a channel: an event without operation or, when plain, as a member that
 * knows nothing of Nest reads it.
 * @throws SlimError `malformed-frame`
 */
export function writeChannelMessage(
  value: unknown,
  { plain = false, metadata = {}, signal }: SlimPublishOptions,
): { readonly payload: Uint8Array; readonly options: PublishOptions } {
  const wait = signal && { signal };
  if (!plain) {
    const fields = { metadata: toTexts(metadata), ...encodeValue(value) };
    const payload = encodeEnvelope({ kind: envelopeKind.event, ...fields });
    return { payload, options: { payloadType: envelopePayloadType, ...wait } };
  }
  const written = writeForeign(value);
  if (!written) throw new SlimError('malformed-frame', `${typeof value} has no plain payload`);
  const { payload, payloadType } = written;
  return { payload, options: { payloadType, metadata, ...wait } };
}
