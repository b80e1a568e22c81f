import { SlimError } from '@nestjs-slim/core';
import type { PayloadCodec } from '../payload-codec.js';
import { SlimException, isExceptionBody } from '../slim-exception.js';
import { Prepared } from './prepared.js';
import { errorValue } from './rpc-error.js';
import { decodeValue, encodeValue, jsonType, type EncodedValue } from './value.js';
import { whenKnown } from './when-known.js';

/** As Nest's `Serializer`: takes a packet before it is encoded and gives what to send in its place. */
export interface PacketSerializer {
  /** Called once, before the first packet; again when it failed. */
  init?(): unknown;
  serialize(packet: object, options?: Record<string, unknown>): unknown;
}

/** As Nest's `Deserializer`: takes a packet that was decoded and gives what the application sees. */
export interface PacketDeserializer {
  /** Called once, before the first packet; again when it failed. */
  init?(): unknown;
  deserialize(packet: object, options?: Record<string, unknown>): unknown;
}

/** What becomes of values on their way into an envelope and out of it. */
export interface PayloadOptions {
  readonly codec: PayloadCodec | undefined;
  readonly serializer: PacketSerializer | undefined;
  readonly deserializer: PacketDeserializer | undefined;
}

type MaybePromise<Value> = Value | Promise<Value>;

/** The content type of the body of a `SlimException`, which is JSON whatever the codec. */
const exceptionType = 'application/vnd.nestjs-slim.exception+json';

/**
 * Values as they stand in envelopes, and back. It gives promises only where a (de)serializer does.
 * Every method throws `malformed-frame` for what cannot be written or read.
 */
export class Payloads {
  private readonly codec: PayloadCodec | undefined;
  private readonly serializer: Prepared<PacketSerializer> | undefined;
  private readonly deserializer: Prepared<PacketDeserializer> | undefined;

  constructor({ codec, serializer, deserializer }: PayloadOptions) {
    this.codec = codec;
    this.serializer = serializer && new Prepared(serializer);
    this.deserializer = deserializer && new Prepared(deserializer);
  }

  /** What is asked or told. */
  encodeRequest(pattern: string, data: unknown): MaybePromise<EncodedValue> {
    const { serializer, codec } = this;
    if (!serializer) return encodeValue(data, codec);
    return serialized(serializer, { pattern, data }, (made) =>
      encodeValue(valueOf(made, 'data'), codec),
    );
  }

  decodeRequest(pattern: string, encoded: EncodedValue): unknown {
    const data = decodeValue(encoded, this.codec);
    const { deserializer } = this;
    return deserializer ? deserialized(deserializer, { pattern, data }, 'data') : data;
  }

  /** What is answered to a question of that content type. */
  encodeResponse(response: unknown, asked = ''): MaybePromise<EncodedValue> {
    const codec = this.codecFor(asked);
    const { serializer } = this;
    if (!serializer) return encodeValue(response, codec);
    return serialized(serializer, { response }, (made) =>
      encodeValue(valueOf(made, 'response'), codec),
    );
  }

  decodeResponse(encoded: EncodedValue): unknown {
    const response = decodeValue(encoded, this.codec);
    const { deserializer } = this;
    return deserializer ? deserialized(deserializer, { response }, 'response') : response;
  }

  /** Serializers do not see errors. */
  encodeError(reason: unknown, asked = ''): EncodedValue {
    const value = errorValue(reason);
    if (!isExceptionBody(value)) return encodeValue(value, this.codecFor(asked));
    return { ...encodeValue(value), contentType: exceptionType };
  }

  decodeError(encoded: EncodedValue): unknown {
    if (encoded.contentType !== exceptionType || !encoded.data) {
      return decodeValue(encoded, this.codec);
    }
    const body = decodeValue({ contentType: jsonType, data: encoded.data });
    return SlimException.fromBody(body) ?? body;
  }

  /** Whoever asks in JSON need not know the codec. */
  private codecFor(asked: string): PayloadCodec | undefined {
    return asked === jsonType ? undefined : this.codec;
  }
}

function serialized(
  serializer: Prepared<PacketSerializer>,
  packet: object,
  encode: (made: unknown) => EncodedValue,
): MaybePromise<EncodedValue> {
  return refused('serialized', () =>
    whenKnown(
      serializer.use((by) => by.serialize(packet)),
      encode,
    ),
  );
}

function deserialized(
  deserializer: Prepared<PacketDeserializer>,
  packet: object,
  key: string,
): unknown {
  return refused('deserialized', () =>
    whenKnown(
      deserializer.use((by) => by.deserialize(packet)),
      (made) => valueOf(made, key),
    ),
  );
}

/** Whatever a (de)serializer throws, now or later, is `malformed-frame`. */
function refused<Result>(
  done: string,
  work: () => Result | Promise<Awaited<Result>>,
): Result | Promise<Awaited<Result>> {
  const fail = (reason: unknown): never => {
    throw SlimError.from(reason, 'malformed-frame', `the data cannot be ${done}`);
  };
  try {
    const made = work();
    return made instanceof Promise ? made.catch(fail) : made;
  } catch (reason) {
    return fail(reason);
  }
}

/** A (de)serializer gives a packet, or the value itself. */
function valueOf(made: unknown, key: string): unknown {
  const isPacket = typeof made === 'object' && made !== null && key in made;
  return isPacket ? (made as Readonly<Record<string, unknown>>)[key] : made;
}
