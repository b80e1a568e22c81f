import { groupUpdateOp, participantState } from '../../libs/slim-core/src/wire/command-payload.js';
import { connectionType } from '../../libs/slim-core/src/wire/link-message.js';
import { message, string, sub, uint64 } from '../../libs/slim-core/src/wire/schema.js';
import { messageType, sessionType } from '../../libs/slim-core/src/wire/session-header.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { toHex } from '../support/vectors.js';

/** How values appear that the recordings write in two ways: in full, or shortened for reading. */
export interface JsonStyle {
  name(name: WireName): unknown;
  bytes(bytes: Uint8Array): unknown;
  identity(token: string): unknown;
}

/** As in `data-plane/`. */
export const inFull: JsonStyle = {
  name: (name) => toJson(nameFields.decode(name.bytes), '', inFull),
  bytes: toHex,
  identity: (token) => token,
};

/** As in `sessions/`. */
export const shortened: JsonStyle = {
  name: (name) => {
    const { service, id } = name.slimName;
    const hex = id.toString(16).padStart(32, '0');
    const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return `${service}#${/^f+$/.test(hex) ? 'NULL' : uuid}`;
  },
  bytes: (bytes) =>
    bytes.length <= 96 ? toHex(bytes) : { bytes: bytes.length, prefix: toHex(bytes.slice(0, 16)) },
  identity: (token) => {
    const [tokenId, seconds] = token.split(':');
    return { token_id: tokenId, ts: Number(seconds), chars: token.length };
  },
};

/**
 * A decoded message as the recordings write it: the field names of the `.proto`, 64-bit integers as
 * text, enums by name, defaults left out.
 */
export function toProtoJson(decoded: object, style: JsonStyle): unknown {
  return toJson(decoded, '', style);
}

function toJson(value: unknown, field: string, style: JsonStyle): unknown {
  if (value instanceof WireName) return style.name(value);
  if (value instanceof Uint8Array) return style.bytes(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (Array.isArray(value)) return value.map((item) => toJson(item, field, style));
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return enums[field]?.[value] ?? value;
  if (field === 'identity' && typeof value === 'string') return style.identity(value);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, item]): [string, unknown] => {
    const name = renamed[`${field}.${key}`] ?? renamed[key] ?? snakeCase(key);
    return [name, isAbsent(item, name) ? undefined : toJson(item, name, style)];
  });
  return Object.fromEntries(fields.filter(([, item]) => item !== undefined));
}

/** Header fields whose presence counts; a SubscriptionAck has an `error` too, but that is text. */
const explicit = new Set(['recv_from', 'forward_to', 'incoming_conn', 'error']);

function isAbsent(value: unknown, name: string): boolean {
  if (value === undefined) return true;
  if (explicit.has(name) && value !== '') return false;
  if (value instanceof Map) return value.size === 0;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
  return value === 0 || value === 0n || value === '' || value === false;
}

/** Where our names differ from those of the `.proto`; `message.field` where one name is not enough. */
const renamed: Readonly<Record<string, string>> = {
  receivedFrom: 'recv_from',
  forwardTo: 'forward_to',
  incomingConnection: 'incoming_conn',
  headerSignature: 'e2e_header_sig',
  messageType: 'session_message_type',
  'publish.content': 'msg',
  application: 'app_payload',
  command: 'command_payload',
  'subscribe.id': 'subscription_id',
  'unsubscribe.id': 'subscription_id',
  'subscription_ack.id': 'subscription_id',
  negotiation: 'link_negotiation',
  publicKey: 'link_ecdh_public_key',
  kemPayload: 'link_kem_payload',
  timers: 'timer_settings',
  timeoutMs: 'timeout',
  'join_request.mls': 'mls_settings',
  headerIntegrityPercent: 'header_integrity_validation_percent',
  'mls.content': 'mls_content',
};

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

const named = (prefix: string, values: Readonly<Record<string, number>>): Record<number, string> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [value, prefix + snakeCase(key).toUpperCase()]),
  );

const enums: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  connection_type: named('LINK_CONNECTION_TYPE_', connectionType),
  session_type: named('SESSION_TYPE_', sessionType),
  session_message_type: named('SESSION_MESSAGE_TYPE_', messageType),
  op: named('', groupUpdateOp),
  status: named('', participantState),
};

/** The `Name` message under its own field names. */
const nameFields = message({
  name: sub(
    1,
    message({
      component_0: uint64(1),
      component_1: uint64(2),
      component_2: uint64(3),
      name_id: sub(4, message({ id_0: uint64(1), id_1: uint64(2) })),
    }),
  ),
  str_name: sub(
    2,
    message({
      str_component_0: string(1),
      str_component_1: string(2),
      str_component_2: string(3),
    }),
  ),
});
