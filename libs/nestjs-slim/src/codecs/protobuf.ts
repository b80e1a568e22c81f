import {
  createRegistry,
  fromBinary,
  isMessage,
  toBinary,
  type DescFile,
  type DescMessage,
  type Message,
  type Registry,
} from '@bufbuild/protobuf';
import { AnySchema, anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { SlimError } from '@nestjs-slim/core';
import type { PayloadCodec } from '../payload-codec.js';

/** A generated schema of one message or of a whole file, or a registry of many. */
export type ProtobufTypes = DescMessage | DescFile | Registry;

/**
 * Messages whose types Protobuf-ES generated, made with `create(Schema, …)`. They travel in a
 * `google.protobuf.Any`, which names their type; both sides need the schemas of what they send and receive.
 * @throws SlimError `invalid-config` when no message type is given
 */
export function protobuf(...types: readonly ProtobufTypes[]): PayloadCodec {
  const registry = createRegistry(...types);
  if (![...registry].some(({ kind }) => kind === 'message')) {
    throw new SlimError('invalid-config', 'protobuf: expected at least one message type');
  }
  return {
    contentType: 'application/protobuf; proto=google.protobuf.Any',
    encode: (value) => encode(value, registry),
    decode: (data) => decode(data, registry),
  };
}

function encode(value: unknown, registry: Registry): Uint8Array {
  if (!isMessage(value)) {
    const expected = 'expected a message made with create(Schema, …)';
    throw new SlimError('malformed-frame', `${expected}, got ${describe(value)}`);
  }
  const schema = registry.getMessage(value.$typeName);
  if (!schema) throw unknownType(value.$typeName);
  try {
    return toBinary(AnySchema, anyPack(schema, value));
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', `a ${value.$typeName} cannot be written`);
  }
}

function decode(data: Uint8Array, registry: Registry): Message {
  try {
    const any = fromBinary(AnySchema, data);
    const message = anyUnpack(any, registry);
    if (message) return message;
    throw unknownType(any.typeUrl);
  } catch (reason) {
    throw SlimError.from(reason, 'malformed-frame', 'the data is not the protobuf it says it is');
  }
}

function unknownType(name: string): SlimError {
  return new SlimError('malformed-frame', `the codec was given no schema of "${name}"`);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value;
}
