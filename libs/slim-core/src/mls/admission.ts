import type { CiphersuiteImpl, ClientState, KeyPackage, RatchetTree } from 'ts-mls';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import { addLeafNode } from 'ts-mls/ratchetTree.js';
import { SlimError } from '../errors/slim-error.js';
import { signContent, type KeyPackageBytes } from './commit-bytes.js';

/** A key package that is to become a leaf. */
export interface Proposed {
  readonly keyPackage: KeyPackage;
  readonly bytes: KeyPackageBytes;
}

const msPerSecond = 1_000;
/** How far the clock of the other side may be ahead: as far as with its token. Native packages begin now. */
const aheadSeconds = 5;

/**
 * The tree with new leaves in it, in a group without extensions (RFC 9420 sections 7.3, 10.1 and 12.2). The
 * library compares every key of the group with every other as text, for each of them (bench case `invite`);
 * it is the oracle in the tests. `nowMs` is given by the side that commits, which checks lifetimes.
 * @throws SlimError `mls-failure` for a key package that is not acceptable, `identity-rejected`
 */
export async function admit(
  suite: CiphersuiteImpl,
  state: Pick<ClientState, 'ratchetTree' | 'groupContext' | 'clientConfig'>,
  additions: readonly Proposed[],
  nowMs?: number,
): Promise<RatchetTree> {
  const { groupContext, clientConfig } = state;
  let tree = state.ratchetTree;
  for (const { keyPackage, bytes } of additions) {
    const { leafNode } = keyPackage;
    if (keyPackage.version !== groupContext.version) throw refused('of another version of MLS');
    if (keyPackage.cipherSuite !== groupContext.cipherSuite) {
      throw refused('of another cipher suite');
    }
    checkPlace(tree, keyPackage);
    if (nowMs !== undefined) checkLifetime(keyPackage, nowMs);
    if (!extensionsSupportedByCapabilities(leafNode.extensions, leafNode.capabilities)) {
      throw refused('with an extension that its capabilities leave out');
    }
    const { credential, signaturePublicKey } = leafNode;
    const { authService } = clientConfig;
    if (!(await authService.validateCredential(credential, signaturePublicKey))) {
      throw refused('whose credential is about another key');
    }
    await checkSignatures(suite, keyPackage, bytes);
    [tree] = addLeafNode(tree, leafNode);
  }
  return tree;
}

async function checkSignatures(
  { signature }: CiphersuiteImpl,
  keyPackage: KeyPackage,
  { signedLeaf, signedPackage }: KeyPackageBytes,
): Promise<void> {
  const { leafNode } = keyPackage;
  const { signaturePublicKey: key } = leafNode;
  const signed = [
    { signature: leafNode.signature, bytes: signContent('LeafNodeTBS', signedLeaf) },
    { signature: keyPackage.signature, bytes: signContent('KeyPackageTBS', signedPackage) },
  ];
  for (const one of signed) {
    if (!(await signature.verify(key, one.bytes, one.signature))) {
      throw refused('with a wrong signature');
    }
  }
}

/** Keys of a group are all different, and each member can read the credentials of all others. */
function checkPlace(tree: RatchetTree, { leafNode, initKey }: KeyPackage): void {
  const { hpkePublicKey, signaturePublicKey, credential } = leafNode;
  if (isSame(initKey, hpkePublicKey)) throw refused('with one key for two purposes');
  for (const node of tree) {
    if (node?.nodeType === 'parent' && isSame(node.parent.hpkePublicKey, hpkePublicKey)) {
      throw refused('with a key of the group');
    }
    if (node?.nodeType !== 'leaf') continue;
    const { leaf } = node;
    const isKnown =
      isSame(leaf.signaturePublicKey, signaturePublicKey) ||
      isSame(leaf.hpkePublicKey, hpkePublicKey);
    if (isKnown) throw refused('of somebody who is in the group');
    if (!leaf.capabilities.credentials.includes(credential.credentialType)) {
      throw refused('with a credential that a member cannot read');
    }
  }
}

function checkLifetime({ leafNode }: KeyPackage, nowMs: number): void {
  const now = BigInt(Math.floor(nowMs / msPerSecond));
  const { notBefore, notAfter } = leafNode.lifetime;
  if (notBefore <= now + BigInt(aheadSeconds) && now <= notAfter) return;
  throw refused(`that is good from ${notBefore} to ${notAfter}, now ${now}`);
}

/** Public keys: it may stop at the first difference. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}

const refused = (what: string): SlimError =>
  new SlimError('mls-failure', `a key package ${what} is not acceptable`);
