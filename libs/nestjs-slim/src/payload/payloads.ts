import type { PayloadCodec } from '../payload-codec.js';
import { SlimException, isExceptionBody } from '../slim-exception.js';
import { errorValue } from './rpc-error.js';
import { decodeValue, encodeValue, parseJson, type EncodedValue } from './value.js';
import { whenKnown } from './when-known.js';

/** As Nest's `Serializer`: takes a packet before it is encoded and gives what to send in its place. */
export interface PacketSerializer {
  serialize(packet: object, options?: Record<string, unknown>): unknown;
}

/** As Nest's `Deserializer`: takes a packet that was decoded and gives what the application sees. */
export interface PacketDeserializer {
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
  private readonly options: PayloadOptions;

  constructor(options: PayloadOptions) {
    this.options = options;
  }

  /** What is asked or told. */
  encodeRequest(pattern: string, data: unknown): MaybePromise<EncodedValue> {
    return this.encode('data', data, { pattern, data });
  }

  decodeRequest(pattern: string, encoded: EncodedValue): unknown {
    const data = decodeValue(encoded, this.options.codec);
    return this.deserialized('data', data, { pattern, data });
  }

  /** What is answered. */
  encodeResponse(response: unknown): MaybePromise<EncodedValue> {
    return this.encode('response', response, { response });
  }

  decodeResponse(encoded: EncodedValue): unknown {
    const response = decodeValue(encoded, this.options.codec);
    return this.deserialized('response', response, { response });
  }

  encodeError(reason: unknown): EncodedValue {
    const value = errorValue(reason);
    // As JSON, whatever the codec: errors are of no type that it knows.
    if (!isExceptionBody(value)) return encodeValue(value);
    return { ...encodeValue(value), contentType: exceptionType };
  }

  decodeError(encoded: EncodedValue): unknown {
    if (encoded.contentType !== exceptionType || !encoded.data) {
      return decodeValue(encoded, this.options.codec);
    }
    const body = parseJson(encoded.data);
    return SlimException.fromBody(body) ?? body;
  }

  private encode(key: string, value: unknown, packet: object): MaybePromise<EncodedValue> {
    const { serializer, codec } = this.options;
    if (!serializer) return encodeValue(value, codec);
    return whenKnown(serializer.serialize(packet), (made) =>
      encodeValue(valueOf(made, key), codec),
    );
  }

  private deserialized(key: string, value: unknown, packet: object): unknown {
    const { deserializer } = this.options;
    if (!deserializer) return value;
    return whenKnown(deserializer.deserialize(packet), (made) => valueOf(made, key));
  }
}

/** A (de)serializer gives a packet, or the value itself. */
function valueOf(made: unknown, key: string): unknown {
  const isPacket = typeof made === 'object' && made !== null && key in made;
  return isPacket ? (made as Readonly<Record<string, unknown>>)[key] : made;
}
