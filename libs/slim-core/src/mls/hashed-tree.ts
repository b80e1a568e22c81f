import type { RatchetTree } from 'ts-mls';
import { encodeLeafNodeHashInput, encodeParentNodeHashInput } from 'ts-mls/treeHash.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';

/** A ratchet tree and the hash of each of its subtrees, by the index of the node on top. */
export interface HashedTree {
  readonly tree: RatchetTree;
  readonly hashes: readonly Uint8Array[];
  /** The tree hash of RFC 9420 section 7.8. */
  readonly root: Uint8Array;
}

/**
 * Hashes a tree, but for the subtrees that are those of the tree before: the library hashes every leaf anew
 * for every commit (bench case `invite`), and is the oracle in the tests. Nodes are never changed, so the
 * same object is the same node.
 */
export function hashTree(crypto: Crypto, tree: RatchetTree, before?: HashedTree): HashedTree {
  const hashes: Uint8Array[] = [];
  /** What is there of the tree before: the hash of a node that is the same in both. */
  const kept = (at: number): Uint8Array | undefined =>
    before?.tree[at] === tree[at] ? before?.hashes[at] : undefined;
  for (let at = 0; at < tree.length; at += 2) hashes[at] = kept(at) ?? leafHash(crypto, tree, at);
  // Level by level: half the distance between nodes of one level is the one to their children.
  for (let reach = 1; reach < tree.length; reach *= 2) {
    for (let at = reach * 2 - 1; at < tree.length; at += reach * 4) {
      const left = hashes[at - reach] ?? none;
      const right = hashes[at + reach] ?? none;
      const areKept = left === before?.hashes[at - reach] && right === before?.hashes[at + reach];
      hashes[at] = (areKept ? kept(at) : undefined) ?? parentHash(crypto, tree, at, [left, right]);
    }
  }
  return { tree, hashes, root: hashes[(tree.length - 1) / 2] ?? none };
}

const none = new Uint8Array(0);

function leafHash(crypto: Crypto, tree: RatchetTree, at: number): Uint8Array {
  const node = tree[at];
  if (node?.nodeType === 'parent') throw new SlimError('mls-failure', `node ${at} is no leaf`);
  const input = { nodeType: 'leaf', leafIndex: at / 2, leafNode: node?.leaf } as const;
  return crypto.sha256(encodeLeafNodeHashInput(input));
}

function parentHash(
  crypto: Crypto,
  tree: RatchetTree,
  at: number,
  [leftHash, rightHash]: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  const node = tree[at];
  if (node?.nodeType === 'leaf') throw new SlimError('mls-failure', `node ${at} is a leaf`);
  const input = { nodeType: 'parent', parentNode: node?.parent, leftHash, rightHash } as const;
  return crypto.sha256(encodeParentNodeHashInput(input));
}
