import { SlimError } from '../errors/slim-error.js';
import type { StateChange, StateRecord } from './state-store.js';

/** Of everything that is kept; what a later version writes is refused. */
export const schemaVersion = 1;

const kind = 'header';
const key = 'nestjs-slim';
const saltBytes = 32;

/** What a store begins with, the only record that is not sealed: the schema and the salt of its key. */
export function toHeader(salt: Uint8Array): StateChange & { readonly value: Uint8Array } {
  const value = new Uint8Array(2 + salt.length);
  new DataView(value.buffer).setUint16(0, schemaVersion);
  value.set(salt, 2);
  return { kind, key, value };
}

/** The salt. @throws SlimError `store-failed` for a store of something else, or of a later version */
export function readHeader(records: readonly StateRecord[]): Uint8Array {
  const header = records.find((record) => record.kind === kind && record.key === key);
  if (!header || header.value.length < 2) throw unusable('it has no header');
  const { value } = header;
  const schema = new DataView(value.buffer, value.byteOffset).getUint16(0);
  if (schema !== schemaVersion) {
    throw unusable(`expected schema ${schemaVersion}, found ${schema}`);
  }
  if (value.length !== 2 + saltBytes) throw unusable('its header is damaged');
  return value.slice(2);
}

/** Says why a store is refused. */
export function unusable(why: string): SlimError {
  return new SlimError('store-failed', `the store cannot be used: ${why}`);
}
