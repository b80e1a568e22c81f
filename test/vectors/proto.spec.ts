import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import { decodeBundle, Bundle } from '../../libs/nestjs-slim/src/payload/bundle.js';
import { decodeEnvelope, encodeEnvelope } from '../../libs/nestjs-slim/src/payload/envelope.js';
import { allFrames, toHex } from '../support/vectors.js';

// The codecs are written by hand; these hold them against the files in proto/, read by a general
// implementation of protobuf.
const load = (name: string): protobuf.Root =>
  new protobuf.Root().loadSync(fileURLToPath(new URL(`../../proto/${name}`, import.meta.url)), {
    keepCase: true,
  });

describe('proto/dataplane.proto', () => {
  const message = load('dataplane.proto').lookupType('dataplane.proto.v1.Message');

  it.each(allFrames())('describes every byte of a captured frame: $title', ({ bytes }) => {
    expect(toHex(message.encode(message.decode(bytes)).finish())).toBe(toHex(bytes));
  });
});

describe('proto/envelope.proto', () => {
  const envelope = load('envelope.proto').lookupType('nestjs_slim.v1.Envelope');

  it('describes every field that our codec writes', () => {
    const fields = {
      kind: 3,
      correlation_id: 7,
      operation: 'create',
      deadline_ms: 5_000,
      metadata: { tenant: 'acme' },
      content_type: 'application/json',
      data: Buffer.from('{}'),
      last: true,
      credit: 4,
      sequence: 9,
      streams: true,
      bundles: true,
    };
    const bytes = envelope.encode(envelope.create(fields)).finish();
    const ours = decodeEnvelope(bytes);
    expect(ours).toMatchObject({
      kind: 3,
      correlationId: 7,
      operation: 'create',
      deadlineMs: 5_000,
      contentType: 'application/json',
      last: true,
      credit: 4,
      sequence: 9,
      streams: true,
      bundles: true,
    });
    expect(Buffer.from(ours.data ?? []).toString()).toBe('{}');
    expect(toHex(encodeEnvelope(ours))).toBe(toHex(bytes));
  });

  it('describes a bundle', () => {
    const bundleType = load('envelope.proto').lookupType('nestjs_slim.v1.Bundle');
    const bundle = new Bundle();
    bundle.add({ kind: 3, correlationId: 7 });
    bundle.add({ kind: 4, correlationId: 8 });
    const [payload] = bundle.take();
    const read = bundleType.decode(payload) as unknown as { envelopes: Uint8Array[] };
    const ids = read.envelopes.map((bytes) => envelope.decode(bytes).toJSON().correlation_id);
    expect(ids).toStrictEqual([7, 8]);
    expect(decodeBundle(payload).map((bytes) => decodeEnvelope(bytes).bundles)).toStrictEqual([
      true,
      true,
    ]);
  });
});
