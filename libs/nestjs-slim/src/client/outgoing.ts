import { SlimError, type Metadata, type SlimName } from '@nestjs-slim/core';
import type { ReadPacket } from '@nestjs/microservices';
import type { PatternReader } from '../patterns/pattern-reader.js';
import { patternText } from '../patterns/pattern.js';
import type { SlimRecord } from '../slim-record.js';
import { noMetadata } from '../telemetry.js';

/** One message on its way out. */
export interface Outgoing {
  readonly record: SlimRecord;
  readonly operation: string;
  /** Where it goes: to the name of the pattern or, when the record says so, to one instance. */
  readonly target: SlimName;
  readonly metadata: Metadata;
}

/** What Nest 12 lets a dispatch hook add to a packet. */
interface Hooked {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a packet of Nest with that record means. @throws SlimError `invalid-name`, `invalid-config` */
export function readOutgoing(
  packet: ReadPacket & Hooked,
  record: SlimRecord,
  patterns: PatternReader,
): Outgoing {
  const { name, operation } = patterns.read(packet.pattern);
  const { instance, payloadType, metadata } = record.options;
  if (payloadType !== undefined && operation !== '') {
    const text = patternText(packet.pattern);
    const why = 'a payload of its own type goes to a name without operation';
    throw new SlimError('invalid-config', `${why}, not to "${text}"`);
  }
  const target = instance ?? name;
  return { record, operation, target, metadata: merged(metadata, packet.metadata) };
}

/** A message with what telemetry adds, unless it is plain: nodes can read the metadata of those. */
export function withMetadata(outgoing: Outgoing, metadata: Metadata): Outgoing {
  if (metadata === noMetadata || outgoing.record.options.payloadType !== undefined) return outgoing;
  return { ...outgoing, metadata: merged(outgoing.metadata, metadata) };
}

function merged(own: Metadata = noMetadata, added: Metadata = noMetadata): Metadata {
  return added === noMetadata ? own : { ...own, ...added };
}
