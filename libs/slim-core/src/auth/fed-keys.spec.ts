import { describe, expect, it } from '@jest/globals';
import { turns } from '../testing/turns.js';
import { FedKeys } from './fed-keys.js';
import type { LoadedKey } from './jwt-keys.js';

/** A text that is answered when the test says so. */
function setup() {
  const answers: ((text: string) => void)[] = [];
  let changed = (): void => undefined;
  const source = {
    text: () => new Promise<string>((resolve) => answers.push(resolve)),
    onChange: (listener: () => void) => {
      changed = listener;
      return () => undefined;
    },
  };
  const load = (text: string): Promise<LoadedKey[]> =>
    Promise.resolve([{ algorithm: 'HS256', keyId: text, key: new Uint8Array(32) }]);
  const answer = async (text: string): Promise<void> => {
    answers.shift()?.(text);
    await turns();
  };
  return { opening: FedKeys.open({ source, load }), answers, changed: () => changed(), answer };
}

describe('FedKeys', () => {
  it('reads one text after the other, from the first one on, so that the last one stays', async () => {
    const { opening, answers, changed, answer } = setup();
    await turns();
    changed();
    await turns();
    expect(answers).toHaveLength(1);
    await answer('old');
    await answer('new');
    const fed = await opening;
    expect(fed.for().map(({ keyId }) => keyId)).toStrictEqual(['new']);
  });
});
