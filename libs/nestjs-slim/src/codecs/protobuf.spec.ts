import { create, toBinary } from '@bufbuild/protobuf';
import {
  AnySchema,
  BytesValueSchema,
  DurationSchema,
  Int64ValueSchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
  file_google_protobuf_wrappers,
  type Timestamp,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { protobuf } from './protobuf.js';

const codec = protobuf(TimestampSchema, StructSchema, file_google_protobuf_wrappers);
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const malformed = expect.objectContaining({ name: 'SlimError', code: 'malformed-frame' });

const falseAny = create(AnySchema, {
  typeUrl: 'type.googleapis.com/google.protobuf.StringValue',
  value: bytes('ff'),
});

describe('protobuf', () => {
  it('gives back messages of any type that it was given the schema of', () => {
    const messages = fc.oneof(
      fc
        .tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(999_999_999))
        .map(([seconds, nanos]) => create(TimestampSchema, { seconds, nanos })),
      fc.uint8Array().map((value) => create(BytesValueSchema, { value })),
      fc.string().map((value) => create(StringValueSchema, { value })),
      fc.dictionary(fc.string(), fc.double({ noNaN: true })).map((numbers) =>
        create(StructSchema, {
          fields: Object.fromEntries(
            Object.entries(numbers).map(([key, value]) => [
              key,
              { kind: { case: 'numberValue' as const, value } },
            ]),
          ),
        }),
      ),
    );
    fc.assert(
      fc.property(messages, (message) => {
        expect(codec.decode(codec.encode(message))).toEqual(message);
      }),
    );
  });

  it('writes a google.protobuf.Any, which any language reads', () => {
    expect(codec.contentType).toBe('application/protobuf; proto=google.protobuf.Any');
    const data = codec.encode(create(Int64ValueSchema, { value: 5n }));
    const url = Buffer.from('type.googleapis.com/google.protobuf.Int64Value').toString('hex');
    expect(data).toStrictEqual(bytes(`0a2e${url}12020805`));
  });

  it('gives a message that knows its type', () => {
    const message = codec.decode(codec.encode(create(TimestampSchema, { seconds: 7n })));
    expect((message as Timestamp).seconds).toBe(7n);
    expect((message as Timestamp).$typeName).toBe('google.protobuf.Timestamp');
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a plain object', { seconds: 7n }, 'Object'],
    ['an object without a class', Object.create(null), 'an object'],
    ['bytes', new Uint8Array(2), 'Uint8Array'],
    ['a text', 'a', 'string'],
    ['an integer', 5n, 'bigint'],
    ['a message of another type', create(DurationSchema), 'google.protobuf.Duration'],
    [
      'a message with a wrong field',
      create(TimestampSchema, { seconds: 'soon' as unknown as bigint }),
      'google.protobuf.Timestamp',
    ],
  ])('refuses to write %s and says what it was', (_, value, name) => {
    expect(() => codec.encode(value)).toThrow(malformed);
    expect(() => codec.encode(value)).toThrow(name);
  });

  it.each<[string, Uint8Array]>([
    ['what is no message', bytes('ff')],
    ['nothing', bytes('')],
    ['a type it has no schema of', protobuf(DurationSchema).encode(create(DurationSchema))],
    ['a known type with other content', toBinary(AnySchema, falseAny)],
    ['a truncated message', codec.encode(create(StringValueSchema, { value: 'abc' })).slice(0, -1)],
  ])('refuses to read %s', (_, data) => {
    expect(() => codec.decode(data)).toThrow(malformed);
  });

  it('refuses to be made without a message type', () => {
    const invalid = expect.objectContaining({ code: 'invalid-config' });
    expect(() => protobuf()).toThrow(invalid);
  });
});
