import type { ApplicationPayload, Frame } from '../wire/frame.js';
import type { CommandPayload } from '../wire/command-payload.js';
import type { SlimHeader } from '../wire/header.js';
import type { TextMap } from '../wire/schema.js';
import type { SessionHeader } from '../wire/session-header.js';
import type { WireName } from '../wire/wire-name.js';

/** A Publish that has what the session layer needs; views of the received frame. */
export interface Incoming {
  readonly header: SlimHeader;
  readonly source: WireName;
  readonly destination: WireName;
  readonly session: SessionHeader;
  readonly application: ApplicationPayload | undefined;
  readonly command: CommandPayload | undefined;
  readonly metadata: TextMap;
}

/** Undefined for a frame that is no complete Publish, which the session layer ignores. */
export function toIncoming(frame: Frame): Incoming | undefined {
  const { publish, metadata } = frame;
  const header = publish?.header;
  const session = publish?.session;
  if (!header?.source?.hasText || !header.destination?.hasText || !session) return undefined;
  const { application, command } = publish?.content ?? {};
  const { source, destination } = header;
  return { header, source, destination, session, application, command, metadata };
}
