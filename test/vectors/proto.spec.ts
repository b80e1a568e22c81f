import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
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
    });
    expect(Buffer.from(ours.data ?? []).toString()).toBe('{}');
    expect(toHex(encodeEnvelope(ours))).toBe(toHex(bytes));
  });
});
