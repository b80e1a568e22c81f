import { describe, expect, it } from '@jest/globals';
import { SlimError } from '@nestjs-slim/core';
import fc from 'fast-check';
import { decodeEnvelope, encodeEnvelope, envelopeDefinition, envelopeKind } from './envelope.js';

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

describe('an envelope', () => {
  it('is the protobuf message of proto/envelope.proto', () => {
    const bytes = encodeEnvelope({
      kind: envelopeKind.request,
      correlationId: 300,
      operation: 'sum',
      deadlineMs: 5_000,
      metadata: new Map([['k', 'v']]),
      contentType: 'application/json',
      data: new Uint8Array(text('[1]')),
    });
    expect([...bytes]).toStrictEqual([
      ...[0x08, 1], // kind
      ...[0x10, 0xac, 0x02], // correlation_id
      ...[0x1a, 3, ...text('sum')], // operation
      ...[0x20, 0x88, 0x27], // deadline_ms
      ...[0x2a, 6, 0x0a, 1, ...text('k'), 0x12, 1, ...text('v')], // metadata
      ...[0x32, 16, ...text('application/json')], // content_type
      ...[0x3a, 3, ...text('[1]')], // data
    ]);
  });

  it('is written and read by hand as its definition does', () => {
    const number = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const string = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 200 }));
    const anyEnvelope = fc.record({
      kind: number,
      correlationId: number,
      operation: string,
      deadlineMs: number,
      metadata: fc.array(fc.tuple(string, string)).map((entries) => new Map(entries)),
      contentType: string,
      data: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
      last: fc.boolean(),
      credit: number,
      sequence: number,
      streams: fc.boolean(),
      bundles: fc.boolean(),
    });
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const bytes = envelopeDefinition.encode(envelope);
        expect(encodeEnvelope(envelope)).toStrictEqual(bytes);
        expect(decodeEnvelope(bytes)).toStrictEqual({ ...envelope });
      }),
    );
  });

  it('is read or refused as by its definition, whatever became of it', () => {
    const outcome = (decode: () => unknown): unknown => {
      try {
        return decode();
      } catch (reason) {
        return String(reason);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(outcome(() => decodeEnvelope(bytes))).toStrictEqual(
          outcome(() => envelopeDefinition.decode(bytes)),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('writes text as its UTF-8', () => {
    const bytes = encodeEnvelope({ kind: envelopeKind.item, data: '"ü"' });
    expect(decodeEnvelope(bytes).data).toStrictEqual(new Uint8Array(text('"ü"')));
  });

  it('says of its last item that it is the last', () => {
    const bytes = encodeEnvelope({ kind: envelopeKind.item, correlationId: 1, last: true });
    expect([...bytes]).toStrictEqual([0x08, 3, 0x10, 1, 0x40, 1]);
  });

  it.each([undefined, new Uint8Array(0), new Uint8Array([0, 255])])(
    'keeps absent, empty and other data apart: %p',
    (data) => {
      const bytes = encodeEnvelope({ kind: envelopeKind.item, data });
      expect(decodeEnvelope(bytes).data).toStrictEqual(data);
    },
  );

  it('skips fields of later versions and keeps kinds it does not know', () => {
    const { kind, correlationId } = decodeEnvelope(
      new Uint8Array([0x08, 99, 0x10, 7, 0xa2, 0x06, 2, 1, 2]),
    );
    expect({ kind, correlationId }).toStrictEqual({ kind: 99, correlationId: 7 });
  });

  it.each([
    ['a field that runs past the end', [0x3a, 200, 1]],
    ['half a varint', [0x10, 0x80]],
    ['a field without number', [0x00, 0x00]],
    ['a string that is not UTF-8', [0x1a, 1, 0xff]],
  ])('refuses %s', (_, bytes) => {
    const decode = () => decodeEnvelope(new Uint8Array(bytes));
    expect(decode).toThrow(SlimError);
    expect(decode).toThrow(expect.objectContaining({ code: 'malformed-frame' }));
  });
});
