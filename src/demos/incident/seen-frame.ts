import { SlimName, parseId } from '@nestjs-slim/core';
import { bytes, message, string, sub, uint32, uint64 } from '@nestjs-slim/core/protobuf';

/** What anybody on the way can read of a frame: nothing here needs a key. */
export interface SeenFrame {
  readonly source: SlimName;
  readonly destination: SlimName;
  readonly messageType: number;
  readonly sessionId: number;
  readonly messageId: number;
  /** The application's payload, sealed where the session is encrypted; a view of the frame. */
  readonly payload: Uint8Array;
}

/** What tells one message of all others, for its readers and for the nodes on its way. */
export interface MessageKey {
  readonly sessionId: number;
  readonly source: string;
  readonly messageId: number;
}

/** As text, to look it up by. */
export function keyOf({ sessionId, source, messageId }: MessageKey): string {
  return `${sessionId} ${source} ${messageId}`;
}

/** Session message types (proto/dataplane.proto): a message to be read, and the first that steers a session. */
export const messageType = { msg: 1, firstControl: 5 } as const;

// The part of proto/dataplane.proto that is looked at.
const nameId = message({ high: uint64(1), low: uint64(2) });
const encodedName = message({ id: sub(4, nameId) });
const stringName = message({ org: string(1), namespace: string(2), service: string(3) });
const wireName = message({ encoded: sub(1, encodedName), text: sub(2, stringName) });
const slimHeader = message({ source: sub(1, wireName), destination: sub(2, wireName) });
const session = message({ type: uint32(2), id: uint32(3), messageId: uint32(4) });
const application = message({ payload: bytes(2) });
const content = message({ application: sub(1, application) });
const publish = message({
  header: sub(1, slimHeader),
  session: sub(2, session),
  content: sub(3, content),
});
const frame = message({ publish: sub(3, publish) });

/** Undefined for a frame that is no Publish of a session. @throws SlimError `malformed-frame` */
export function seenFrame(bytesOfFrame: Uint8Array): SeenFrame | undefined {
  const { publish: found } = frame.decode(bytesOfFrame);
  const source = nameOf(found?.header?.source);
  const destination = nameOf(found?.header?.destination);
  if (!found?.session || !source || !destination) return undefined;
  return {
    source,
    destination,
    messageType: found.session.type,
    sessionId: found.session.id,
    messageId: found.session.messageId,
    payload: found.content?.application?.payload ?? new Uint8Array(),
  };
}

type Wire = ReturnType<typeof wireName.make>;

function nameOf(name: Wire | undefined): SlimName | undefined {
  if (!name?.text) return undefined;
  const { org, namespace, service } = name.text;
  const found = new SlimName([org, namespace, service]);
  const id = name.encoded?.id;
  return id ? found.withId(parseId(hex64(id.high) + hex64(id.low))) : found;
}

function hex64(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
