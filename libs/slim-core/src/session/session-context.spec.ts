import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { fromHex } from '../testing/hex.js';
import { randomMessageId, randomSessionId } from './session-context.js';

const drawing = (hex: string) => ({ ...nodeCrypto, random: () => fromHex(hex) });

describe('randomMessageId', () => {
  it.each([
    { drawn: '00000000', id: 1 },
    { drawn: '00000001', id: 1 },
    { drawn: 'ffffffff', id: 0xffff_ffff },
  ])('is $id for $drawn, never 0, which native peers refuse', ({ drawn, id }) => {
    expect(randomMessageId(drawing(drawn))).toBe(id);
  });
});

describe('randomSessionId', () => {
  it.each([
    { drawn: '00000000', id: 0 },
    { drawn: 'fffffc16', id: 4_294_966_294 },
    { drawn: 'fffffc17', id: 0 },
    { drawn: 'ffffffff', id: 1_000 },
  ])('is $id for $drawn, never one of the last 1001', ({ drawn, id }) => {
    expect(randomSessionId(drawing(drawn))).toBe(id);
  });
});
