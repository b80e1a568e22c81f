import type { PublishOptions } from '@nestjs-slim/core';
import { ByteWriter, message, repeatedBytes } from '@nestjs-slim/core/protobuf';
import {
  encodeEnvelope,
  envelopePayloadType,
  writeEnvelope,
  type EnvelopeFields,
} from './envelope.js';

/** The payload type of messages whose payload is a bundle. */
export const bundlePayloadType = 'application/vnd.nestjs-slim.v1.bundle';

// message Bundle { repeated bytes envelopes = 1; }
const bundle = message({ envelopes: repeatedBytes(1) });
const envelopesTag = 0x0a;

/** The encoded envelopes of a bundle, views of `bytes`. @throws SlimError `malformed-frame` */
export function decodeBundle(bytes: Uint8Array): readonly Uint8Array[] {
  return bundle.decode(bytes).envelopes;
}

/** What every envelope of ours says: that its sender reads bundles. */
const readsBundles = encodeEnvelope({ bundles: true });

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
    const { writer } = this;
    writer.varint(envelopesTag);
    writer.delimited(() => {
      writeEnvelope(fields, writer);
      writer.raw(readsBundles);
    });
    this.added += 1;
  }

  /** What to publish, which empties the bundle; one envelope goes as itself. */
  take(): [payload: Uint8Array, options: PublishOptions] {
    const payload = this.writer.finish();
    this.writer.reset();
    const isOne = this.added === 1;
    this.added = 0;
    if (!isOne) return [payload, { payloadType: bundlePayloadType }];
    const [only = payload] = decodeBundle(payload);
    return [only, { payloadType: envelopePayloadType }];
  }
}
