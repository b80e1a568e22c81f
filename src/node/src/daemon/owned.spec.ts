import { describe, expect, it } from '@jest/globals';
import { Owned } from './owned.js';

describe('Owned', () => {
  it('closes in the reverse order, each once', async () => {
    const log: string[] = [];
    const owned = new Owned();
    owned.add({ close: () => void log.push('first') });
    owned.add(undefined);
    owned.add({ close: async () => void log.push('second') });
    await Promise.all([owned.close(), owned.close()]);
    expect(log).toStrictEqual(['second', 'first']);
  });

  it('closes the others when one cannot be closed, and says so', async () => {
    const log: string[] = [];
    const owned = new Owned();
    owned.add({ close: () => void log.push('first') });
    owned.add({ close: () => Promise.reject(new Error('stuck')) });
    await expect(owned.close()).rejects.toThrow('stuck');
    expect(log).toStrictEqual(['first']);
  });
});
