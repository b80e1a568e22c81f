import { beforeAll, describe, expect, it } from '@jest/globals';
import { SlimName, formatId, loadNameHash, nullId, parseId } from '@nestjs-slim/core';
import { hashComponent, hashId, hashIdWithSeed } from '../../libs/slim-core/src/names/name-hash.js';
import { applicationId, channelIds } from '../../libs/slim-core/src/names/name-id.js';
import { frame } from '../../libs/slim-core/src/wire/frame.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { allFrames, captureNames, readCapture, readVector } from '../support/vectors.js';

interface NameVectors {
  readonly components: readonly {
    string: string;
    utf8_hex: string;
    u64: string;
    u64_hex: string;
  }[];
  readonly app_ids: readonly { token_id: string; name_id_hex: string }[];
  readonly channel_ids: readonly {
    readonly token_id: string;
    readonly channel: readonly string[];
    readonly kind: 'data' | 'control';
    readonly name_id_hex: string;
  }[];
}

const vectors = readVector('data-plane/name-vectors') as NameVectors;
const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0');

beforeAll(loadNameHash);

describe('a name component', () => {
  it.each(vectors.components)(
    'hashes "$string" like the native client',
    ({ string, ...vector }) => {
      expect(Buffer.from(string).toString('hex')).toBe(vector.utf8_hex);
      expect(hex(hashComponent(string), 16)).toBe(vector.u64_hex);
      expect(hashComponent(string).toString()).toBe(vector.u64);
    },
  );

  it.each(captureNames)('hashes every name of %s like its application', (name) => {
    const hashes = Object.entries(readCapture(name).name_component_hashes);
    for (const [text, expected] of hashes) {
      const { components } = SlimName.parse(text);
      expect(components.map((part) => hex(hashComponent(part), 16))).toStrictEqual(expected);
    }
    expect(hashes.length).toBeGreaterThan(0);
  });
});

describe('an application id', () => {
  it.each([
    ...vectors.app_ids,
    { token_id: 'org/ns/alice_DriY6rRQ', name_id_hex: 'b4b493c7b820f3816adad31a412b16df' },
    { token_id: 'alice-sub', name_id_hex: '97cbea59097911efc8ba3ccd1e4a1054' },
    { token_id: '', name_id_hex: '99aa06d3014798d86001c324468d497f' },
  ])('is the hash of the token id "$token_id"', ({ token_id: tokenId, name_id_hex: expected }) => {
    expect(hex(applicationId(tokenId), 32)).toBe(expected);
  });
});

describe('the ids of a channel', () => {
  it.each([
    ...vectors.channel_ids.map((vector) => ({ ...vector, service: vector.channel.join('/') })),
    {
      token_id: 'org/ns/alice_2tAWr8AM',
      service: 'org/ns/room',
      kind: 'data',
      name_id_hex: 'f29a25fa98fc7c08b933a1ee116bb53a',
    },
    {
      token_id: 'org/ns/alice_2tAWr8AM',
      service: 'org/ns/room',
      kind: 'control',
      name_id_hex: '832b74bfeae8fea5fce5b7cd1ba7883a',
    },
  ] as const)('are hashes of its name and of $token_id: $kind', async (vector) => {
    const ids = await channelIds(vector.token_id, vector.service);
    expect(hex(ids[vector.kind], 32)).toBe(vector.name_id_hex);
    const input = `${vector.token_id}/${vector.service}/${vector.kind}`;
    expect(hex(hashId(input), 32)).toBe(vector.name_id_hex);
  });

  it('would be others with another salt', async () => {
    expect(await hashIdWithSeed('a', 0)).toBe(hashId('a'));
    expect(await hashIdWithSeed('a', 1)).not.toBe(hashId('a'));
  });
});

describe('an id in text', () => {
  it.each([
    { id: nullId, text: 'NULL_COMPONENT' },
    { id: 0x99n, text: '00000000-0000-0000-0000-000000000099' },
    { id: 0x60e9f14478f9fb8488c26cbb27eaea8fn, text: '60e9f144-78f9-fb84-88c2-6cbb27eaea8f' },
  ])('is $text as the native peer prints it', ({ id, text }) => {
    expect(formatId(parseId(text))).toBe(text);
    expect(parseId(text)).toBe(id);
  });
});

describe('WireName', () => {
  const names = allFrames().flatMap(({ title, bytes }) => {
    const { publish, subscribe, unsubscribe } = frame.decode(bytes);
    const header = (publish ?? subscribe ?? unsubscribe)?.header;
    return header ? [{ title, names: [header.source, header.destination] }] : [];
  });

  it.each(names)('of the strings is the name on the wire: $title', ({ names: onWire }) => {
    for (const name of onWire) {
      expect(name && WireName.of(name.slimName).key).toBe(name?.key);
      expect(name?.hasText).toBe(true);
    }
  });
});
