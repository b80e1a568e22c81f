import { Decoder, Encoder, ExtensionCodec, type ExtensionCodecType } from '@msgpack/msgpack';
import { SlimError } from '@nestjs-slim/core';
import type { PayloadCodec } from '../payload-codec.js';
import { checkMsgpackBounds } from './msgpack-bounds.js';

/** How MessagePack is written and read. */
export interface MsgpackOptions {
  /**
   * What 64-bit integers are read as: `bigint`, which is exact, unless given. With `number` those beyond
   * 2^53 are rounded, and a `bigint` cannot be written.
   */
  readonly int64?: 'bigint' | 'number';
}

/**
 * MessagePack: smaller than JSON, with bytes anywhere in a value. `Date` is a timestamp; `undefined` is left
 * out of objects and `null` elsewhere, as in JSON.
 */
export function msgpack({ int64 = 'bigint' }: MsgpackOptions = {}): PayloadCodec {
  const useBigInt64 = int64 === 'bigint';
  const encoder = new Encoder({ useBigInt64, ignoreUndefined: true, extensionCodec: checked });
  const decoder = new Decoder({ useBigInt64 });
  return {
    contentType: 'application/vnd.msgpack',
    encode: (value) => {
      try {
        checkInteger(value);
        return encoder.encode(value);
      } catch (reason) {
        throw SlimError.from(
          reason,
          'malformed-frame',
          'the value cannot be written as MessagePack',
        );
      }
    },
    decode: (data) => {
      checkMsgpackBounds(data);
      try {
        return decoder.decode(data);
      } catch (reason) {
        throw SlimError.from(reason, 'malformed-frame', 'the data is not MessagePack');
      }
    },
  };
}

/** The library asks it about every object and array, which is where it looks for large integers too. */
const checked: ExtensionCodecType<undefined> = {
  tryToEncode: (value, context) => {
    checkIntegersIn(value);
    return ExtensionCodec.defaultCodec.tryToEncode(value, context);
  },
  decode: (data, type, context) => ExtensionCodec.defaultCodec.decode(data, type, context),
};

function checkIntegersIn(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkInteger(item);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) checkInteger(item);
  }
}

/** The library would write the lowest 64 bits. @throws SlimError `malformed-frame` */
function checkInteger(value: unknown): void {
  if (typeof value !== 'bigint') return;
  if (BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value) return;
  throw new SlimError('malformed-frame', `MessagePack has no integer of that size: ${value}`);
}
