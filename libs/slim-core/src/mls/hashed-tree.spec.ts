import { describe, expect, it } from '@jest/globals';
import type { LeafNode, RatchetTree } from 'ts-mls';
import { addLeafNode, removeLeafNode, updateLeafNode } from 'ts-mls/ratchetTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember } from '../testing/mls-members.js';
import { seededRandom } from '../testing/seeded-random.js';
import { cipherSuite } from './cipher-suite.js';
import { hashTree, type HashedTree } from './hashed-tree.js';
import { makeKeyPackage } from './key-package.js';

/** As many leaves as asked for, each of its own. */
async function newLeaves(count: number): Promise<LeafNode[]> {
  const { context, provider } = await mlsMember('alice', nodeCrypto, new ManualClock());
  const packages = Array.from({ length: count }, () => makeKeyPackage(context, provider.token()));
  return (await Promise.all(packages)).map(({ publicPackage }) => publicPackage.leafNode);
}

const libraryHash = async (tree: RatchetTree): Promise<string> =>
  toHex(await treeHashRoot(tree, cipherSuite(nodeCrypto).hash));

/** Counts what is hashed. */
function countingCrypto() {
  let hashed = 0;
  const sha256 = (data: Uint8Array): Uint8Array => {
    hashed += 1;
    return nodeCrypto.sha256(data);
  };
  return { crypto: { ...nodeCrypto, sha256 }, hashed: () => hashed };
}

describe('hashTree', () => {
  it('gives the tree hash of the library, whatever happens to the tree', async () => {
    const random = seededRandom(4);
    const leaves = await newLeaves(60);
    const first = leaves[0];
    let tree: RatchetTree = first ? [{ nodeType: 'leaf', leaf: first }] : [];
    let hashed: HashedTree | undefined;
    for (const leaf of leaves.slice(1)) {
      const at = toLeafIndex(Math.floor((random() * (tree.length + 1)) / 2));
      const isTaken = at > 0 && tree[at * 2] !== undefined;
      const chance = isTaken ? random() : 1;
      if (chance < 0.3) tree = removeLeafNode(tree, at);
      else if (chance < 0.5) tree = updateLeafNode(tree, leaf, at);
      else [tree] = addLeafNode(tree, leaf);
      hashed = hashTree(nodeCrypto, tree, hashed);
      expect(toHex(hashed.root)).toBe(await libraryHash(tree));
    }
  });

  it('hashes parents with keys, and notices when only they change', async () => {
    const [one, two] = await newLeaves(2);
    if (!one || !two) throw new Error('no leaves');
    const [leaf1, leaf2] = [one, two].map((leaf) => ({ nodeType: 'leaf', leaf }) as const);
    const withKey = (key: number): RatchetTree => [
      leaf1,
      {
        nodeType: 'parent',
        parent: {
          hpkePublicKey: Uint8Array.of(key),
          parentHash: new Uint8Array(),
          unmergedLeaves: [1],
        },
      },
      leaf2,
    ];
    const before = hashTree(nodeCrypto, withKey(1));
    expect(toHex(before.root)).toBe(await libraryHash(withKey(1)));
    const after = hashTree(nodeCrypto, withKey(2), before);
    expect(toHex(after.root)).toBe(await libraryHash(withKey(2)));
  });

  it('hashes a new leaf and what is above it, and nothing else', async () => {
    const leaves = await newLeaves(33);
    let tree: RatchetTree = [];
    for (const leaf of leaves.slice(0, 32)) {
      if (tree.length === 0) tree = [{ nodeType: 'leaf', leaf }];
      else [tree] = addLeafNode(tree, leaf);
    }
    const removed = removeLeafNode(tree, toLeafIndex(9));
    const before = hashTree(nodeCrypto, removed);
    const added = leaves[32];
    if (!added) throw new Error('no leaf');
    const { crypto, hashed } = countingCrypto();
    hashTree(crypto, addLeafNode(removed, added)[0], before);
    expect(hashed()).toBe(6);
  });
});
