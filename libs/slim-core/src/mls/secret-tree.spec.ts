import { describe, expect, it } from '@jest/globals';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { cipherSuite } from './cipher-suite.js';
import { SecretTree } from './secret-tree.js';

/** Ours, and what the library derives for each leaf. */
async function setup(leaves: number) {
  const encryptionSecret = nodeCrypto.random(32);
  const { kdf } = cipherSuite(nodeCrypto);
  const library = await createSecretTree(leaves, encryptionSecret.slice(), kdf);
  const expected = Array.from({ length: leaves }, (_, leaf) =>
    toHex(library[leaf * 2]?.application.secret ?? new Uint8Array()),
  );
  return {
    tree: new SecretTree(nodeCrypto, leaves * 2 - 1, encryptionSecret),
    expected,
    encryptionSecret,
  };
}

const secretOf = (tree: SecretTree, leaf: number): string =>
  toHex(tree.of(leaf) ?? new Uint8Array());

describe('SecretTree', () => {
  it.each([1, 2, 4, 8, 64])('derives for %d leaves what the library derives', async (leaves) => {
    const { tree, expected } = await setup(leaves);
    expect(expected.map((_, leaf) => secretOf(tree, leaf))).toStrictEqual(expected);
  });

  it('derives the same in whatever order leaves are asked for', async () => {
    const { tree, expected } = await setup(16);
    for (let step = 0; step < 16; step += 1) {
      const leaf = (step * 7 + 5) % 16;
      expect(secretOf(tree, leaf)).toBe(expected[leaf]);
    }
  });

  it('gives the secret of a leaf once', async () => {
    const { tree } = await setup(4);
    tree.of(2);
    expect(() => tree.of(2)).toThrow(expect.objectContaining({ code: 'mls-failure' }));
  });

  it('has nothing for a leaf outside of the tree', async () => {
    const { tree } = await setup(4);
    expect(tree.of(4)).toBeUndefined();
  });

  it('overwrites what it derived from', async () => {
    const { tree, encryptionSecret } = await setup(4);
    tree.of(0);
    expect(encryptionSecret).toStrictEqual(new Uint8Array(32));
  });
});
