import type { SessionMessage } from '@nestjs-slim/core';
import {
  encodeEnvelope,
  envelopeKind,
  envelopePayloadType,
  type Envelope,
} from '../payload/envelope.js';
import { writeForeign, writeForeignError } from '../payload/foreign-payload.js';
import type { Payloads } from '../payload/payloads.js';
import { errorValue } from '../payload/rpc-error.js';
import { whenKnown } from '../payload/when-known.js';

/** Where an item stands in its stream. */
export interface ItemPlace {
  readonly sequence: number;
  readonly isLast: boolean;
}

/** Publishes one item; settles once the other side has it. */
export type Publishing = (place: ItemPlace) => Promise<void>;

/** How the answers to one message are published. Publishing settles once the other side has it. */
export interface Replies {
  /** Encodes a value. @throws SlimError `malformed-frame` */
  item(value: unknown): Publishing | Promise<Publishing>;
  end(sequence: number): Promise<void>;
  error(reason: unknown): Promise<void>;
  /** Lets the other side send that many more items of its request. */
  grant(credit: number): Promise<void>;
}

/** Answers to a request of this library. */
export function envelopeReplies(
  message: SessionMessage,
  { correlationId, contentType }: Pick<Envelope, 'correlationId' | 'contentType'>,
  payloads: Payloads,
): Replies {
  const publish = async (fields: Partial<Envelope>): Promise<void> => {
    const payload = encodeEnvelope({ ...fields, correlationId });
    await message.reply(payload, { payloadType: envelopePayloadType });
  };
  return {
    item: (value) =>
      whenKnown(
        payloads.encodeResponse(value, contentType),
        (encoded): Publishing =>
          ({ sequence, isLast }) =>
            publish({ kind: envelopeKind.item, last: isLast, sequence, ...encoded }),
      ),
    end: (sequence) => publish({ kind: envelopeKind.end, sequence }),
    error: async (reason) =>
      publish({ kind: envelopeKind.error, ...payloads.encodeError(reason, contentType) }),
    grant: (credit) => publish({ kind: envelopeKind.credit, credit }),
  };
}

/** Answers to a peer that knows nothing of Nest: each value is a message of its own, and no end is told. */
export function foreignReplies(message: SessionMessage): Replies {
  return {
    item: (value) => {
      const written = writeForeign(value);
      return async () => {
        if (written) await message.reply(written.payload, { payloadType: written.payloadType });
      };
    },
    end: async () => undefined,
    error: async (reason) => {
      const { payload, ...options } = writeForeignError(errorValue(reason));
      await message.reply(payload, options);
    },
    grant: async () => undefined,
  };
}
