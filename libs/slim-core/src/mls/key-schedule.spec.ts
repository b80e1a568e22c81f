import { describe, expect, it } from '@jest/globals';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { cipherSuite, suiteName } from './cipher-suite.js';
import { nextKeySchedule } from './key-schedule.js';

describe('nextKeySchedule', () => {
  // The context is longer than one byte of length can say, and than two can with the last.
  it.each([0, 32, 100, 20_000])(
    'is that of the library, with a group id of %d bytes',
    async (size) => {
      const groupContext = {
        version: 'mls10',
        cipherSuite: suiteName,
        groupId: nodeCrypto.random(size),
        epoch: 7n,
        treeHash: nodeCrypto.random(32),
        confirmedTranscriptHash: nodeCrypto.random(32),
        extensions: [],
      } as const;
      const initSecret = nodeCrypto.random(32);
      const context = { ...groupContext, extensions: [] };
      const zeros = new Uint8Array(32);
      const { kdf } = cipherSuite(nodeCrypto);
      const expected = await initializeEpoch(initSecret, zeros, context, zeros, kdf);
      const ours = nextKeySchedule(nodeCrypto, initSecret, encodeGroupContext(context));
      expect(ours).toStrictEqual(expected);
    },
  );
});
