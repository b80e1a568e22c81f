import type { SessionMessage } from '@nestjs-slim/core';
import { encodeEnvelope, envelopeKind, envelopePayloadType, type Envelope } from './envelope.js';
import { writeForeign, writeForeignError } from './foreign-payload.js';
import { errorValue } from './rpc-error.js';
import { encodeValue } from './value.js';

/** How the answers to one message are published. Each settles once the other side has it. */
export interface Replies {
  item(value: unknown, isLast: boolean): Promise<void>;
  end(): Promise<void>;
  error(reason: unknown): Promise<void>;
}

/** Answers to a request of this library. */
export function envelopeReplies(message: SessionMessage, correlationId: number): Replies {
  const publish = (fields: Partial<Envelope>): Promise<void> => {
    const payload = encodeEnvelope({ ...fields, correlationId });
    return message.reply(payload, { payloadType: envelopePayloadType });
  };
  return {
    item: async (value, last) => publish({ kind: envelopeKind.item, last, ...encodeValue(value) }),
    end: async () => publish({ kind: envelopeKind.end }),
    error: async (reason) =>
      publish({ kind: envelopeKind.error, ...encodeValue(errorValue(reason)) }),
  };
}

/** Answers to a peer that knows nothing of Nest: each value is a message of its own, and no end is told. */
export function foreignReplies(message: SessionMessage): Replies {
  return {
    item: async (value) => {
      const written = writeForeign(value);
      if (written) await message.reply(written.payload, { payloadType: written.payloadType });
    },
    end: async () => undefined,
    error: async (reason) => {
      const { payload, ...options } = writeForeignError(errorValue(reason));
      await message.reply(payload, options);
    },
  };
}
