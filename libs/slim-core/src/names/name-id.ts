import { SlimError } from '../errors/slim-error.js';
import { hashId, hashIdWithSeed } from './name-hash.js';
import type { Tagged } from './tagged.js';

/** The 128-bit id of one application instance or of one channel. */
export type NameId = Tagged<bigint, 'NameId'>;

/** "No id": any instance of a name. */
export const nullId = ((1n << 128n) - 1n) as NameId;

/** The first of the reserved values, which no application gets (reference: data plane 1.4). */
const firstReserved = (1n << 128n) - 51n;

/** Brands a 128-bit unsigned integer. */
export const nameId = (value: bigint): NameId => value as NameId;

/** The id of the application with that token id (reference: identity 4). */
export function applicationId(tokenId: string): NameId {
  return nameId(hashId(tokenId) % firstReserved);
}

/** `NULL_COMPONENT` or a lower-case UUID, as the official peer prints ids. */
export function formatId(id: NameId): string {
  if (id === nullId) return 'NULL_COMPONENT';
  const hex = id.toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * Reads `NULL_COMPONENT` or a UUID with or without hyphens, in any case.
 * @throws SlimError `invalid-name`
 */
export function parseId(text: string): NameId {
  if (text === 'NULL_COMPONENT') return nullId;
  const hex = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) {
    throw new SlimError('invalid-name', `expected an instance id (a UUID), got "${text}"`);
  }
  return nameId(BigInt(`0x${hex}`));
}

/** The ids of a channel's two names, for messages and for control (reference: sessions 2.3). */
export interface ChannelIds {
  readonly data: NameId;
  readonly control: NameId;
}

/** Derives the ids of a channel that the application with that token id moderates. */
export async function channelIds(tokenId: string, service: string): Promise<ChannelIds> {
  for (let salt = 0; ; salt += 1) {
    const data = channelId(await hashIdWithSeed(`${tokenId}/${service}/data`, salt));
    const control = channelId(await hashIdWithSeed(`${tokenId}/${service}/control`, salt));
    if (data !== control) return { data, control };
  }
}

function channelId(hash: bigint): NameId {
  return nameId(hash >= firstReserved ? (hash % (firstReserved - 1n)) + 1n : hash);
}
