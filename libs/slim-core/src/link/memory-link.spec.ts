import { describe, expect, it } from '@jest/globals';
import { linkContract } from '../testing/link-contract.js';
import { turns } from '../testing/turns.js';
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

  it('tells a writer to go on that sent one more when there was room', async () => {
    const [writer, reader] = memoryLinkPair();
    let [taken, drains] = [0, 0];
    writer.open({ frame: () => undefined, drained: () => (drains += 1), closed: () => undefined });
    reader.pause();
    reader.open({
      frame: () => {
        taken += 1;
        if (taken > 1) reader.pause();
        if (taken > 1) writer.send(new Uint8Array(1));
      },
      drained: () => undefined,
      closed: () => undefined,
    });
    while (writer.send(new Uint8Array(1)));
    reader.resume();
    await turns();
    expect([taken, drains]).toStrictEqual([2, 1]);
  });
});
