import { describe, expect, it } from '@jest/globals';
import { AnsweredSource } from '../testing/answered-source.js';
import { turns } from '../testing/turns.js';
import { FedKeys } from './fed-keys.js';
import type { LoadedKey } from './jwt-keys.js';

function load(text: string): Promise<LoadedKey[]> {
  return Promise.resolve([{ algorithm: 'HS256', keyId: text, key: new Uint8Array(32) }]);
}

describe('FedKeys', () => {
  it('reads one text after the other, from the first one on, so that the last one stays', async () => {
    const text = new AnsweredSource();
    const opening = FedKeys.open({ source: { text: text.read, onChange: text.onChange }, load });
    await turns();
    text.change();
    await turns();
    expect(text.waiting).toBe(1);
    await text.answer('old');
    await text.answer('new');
    const fed = await opening;
    expect(fed.for().map(({ keyId }) => keyId)).toStrictEqual(['new']);
  });
});
