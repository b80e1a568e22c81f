import { describe, expect, it } from '@jest/globals';
import { linkContract } from '../testing/link-contract.js';
import { memoryLinkPair } from './memory-link.js';

linkContract('MemoryLink', () => {
  const [dialled, accepted] = memoryLinkPair();
  const end = async (): Promise<void> => {
    await Promise.all([dialled.close(), accepted.close()]);
  };
  return Promise.resolve({ dialled, accepted, end });
});

describe('memoryLinkPair', () => {
  it('tells each end the name of the other', () => {
    const [a, b] = memoryLinkPair(['app', 'node']);
    expect([a.remote, b.remote]).toStrictEqual(['node', 'app']);
  });
});
