import type { PublishOptions } from '@nestjs-slim/core';
import { ByteWriter, message, repeatedBytes } from '@nestjs-slim/core/protobuf';
import { envelopePayloadType, writeEnvelope, type EnvelopeFields } from './envelope.js';

/** The payload type of messages whose payload is a bundle. */
export const bundlePayloadType = 'application/vnd.nestjs-slim.v1.bundle';

// message Bundle { repeated bytes envelopes = 1; }
const bundle = message({ envelopes: repeatedBytes(1) });
const envelopesTag = 0x0a;

/** The encoded envelopes of a bundle, views of `bytes`. @throws SlimError `malformed-frame` */
export function decodeBundle(bytes: Uint8Array): readonly Uint8Array[] {
  return bundle.decode(bytes).envelopes;
}

/** Envelopes that go as one message (proto/envelope.proto), written as they come. */
export class Bundle {
  private readonly writer = new ByteWriter();
  private added = 0;

  /** How many envelopes it has. */
  get size(): number {
    return this.added;
  }

  get bytes(): number {
    return this.writer.length;
  }

  add(fields: EnvelopeFields): void {
    this.writer.varint(envelopesTag);
    this.writer.delimited(() => writeEnvelope(fields, this.writer));
    this.added += 1;
  }

  /** What to publish: one envelope goes as itself. */
  publication(): [payload: Uint8Array, options: PublishOptions] {
    const payload = this.writer.finish();
    if (this.added > 1) return [payload, { payloadType: bundlePayloadType }];
    const [only = payload] = decodeBundle(payload);
    return [only, { payloadType: envelopePayloadType }];
  }
}
