import type {
  CiphersuiteImpl,
  ClientConfig,
  ClientState,
  KeyPackage,
  PrivateKeyPackage,
  Welcome,
} from 'ts-mls';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { throwIfDefined, validateRatchetTree } from 'ts-mls/clientState.js';
import { createGroupInfoWithRatchetTree } from 'ts-mls/createCommit.js';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import {
  ratchetTreeFromExtension,
  verifyGroupInfoConfirmationTag,
  verifyGroupInfoSignature,
  type GroupInfo,
} from 'ts-mls/groupInfo.js';
import { encodeLeafNode } from 'ts-mls/leafNode.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { deriveKeySchedule, type EpochSecrets } from 'ts-mls/keySchedule.js';
import { pathToRoot } from 'ts-mls/pathSecrets.js';
import { mergePrivateKeyPaths, toPrivateKeyPath } from 'ts-mls/privateKeyPath.js';
import { accumulatePskSecret, emptyPskIndex } from 'ts-mls/pskIndex.js';
import { toLeafIndex, type LeafIndex } from 'ts-mls/treemath.js';
import { firstCommonAncestor } from 'ts-mls/updatePath.js';
import {
  decryptGroupInfo,
  decryptGroupSecrets,
  encryptGroupInfo,
  encryptGroupSecrets,
} from 'ts-mls/welcome.js';
import type { Crypto } from '../crypto/crypto.js';
import { SlimError } from '../errors/slim-error.js';
import { leavesOf, withSecrets, type MemberState } from './member-state.js';

/** The epoch that new members come in with. */
interface NewEpoch {
  readonly state: ClientState;
  readonly secrets: Pick<EpochSecrets, 'welcomeSecret' | 'joinerSecret'>;
}

/** What a member is invited with, and what it keeps to itself. */
export interface OwnKeyPackage {
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

/**
 * A welcome for members that were added without an update path, with the ratchet tree in it: the library
 * makes one only together with its own commit.
 */
export async function welcomeTo(
  keyPackages: readonly KeyPackage[],
  suite: CiphersuiteImpl,
  { state, secrets }: NewEpoch,
): Promise<Uint8Array> {
  const { groupContext, ratchetTree, confirmationTag } = state;
  const groupInfo = await createGroupInfoWithRatchetTree(
    groupContext,
    confirmationTag,
    state,
    ratchetTree,
    [],
    suite,
  );
  const encryptedGroupInfo = await encryptGroupInfo(groupInfo, secrets.welcomeSecret, suite);
  const groupSecrets = { joinerSecret: secrets.joinerSecret, pathSecret: undefined, psks: [] };
  const sealed = keyPackages.map(async (keyPackage) => {
    const initKey = await suite.hpke.importPublicKey(keyPackage.initKey);
    const { enc: kemOutput, ct: ciphertext } = await encryptGroupSecrets(
      initKey,
      encryptedGroupInfo,
      groupSecrets,
      suite.hpke,
    );
    const newMember = await makeKeyPackageRef(keyPackage, suite.hash);
    return { newMember, encryptedGroupSecrets: { kemOutput, ciphertext } };
  });
  const welcome = {
    cipherSuite: groupContext.cipherSuite,
    secrets: await Promise.all(sealed),
    encryptedGroupInfo,
  };
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
}

/**
 * Joins with a welcome (RFC 9420 section 12.4.3.1): the checks of the library's `joinGroup` in its order,
 * which is the oracle in the tests, but without its secret tree (bench case `invite`).
 * @throws SlimError `mls-failure`, `identity-rejected`, or what the library says of it
 */
export async function joinWith(
  welcome: Welcome,
  own: OwnKeyPackage,
  { crypto, suite }: { readonly crypto: Crypto; readonly suite: CiphersuiteImpl },
  clientConfig: ClientConfig,
): Promise<MemberState> {
  const { publicPackage, privatePackage } = own;
  const { groupInfo, joinerSecret, pathSecret, pskSecret } = await openWelcome(welcome, own, suite);
  const { groupContext, confirmationTag } = groupInfo;
  const ratchetTree = await verifiedTree(groupInfo, publicPackage, suite, clientConfig);
  const leafIndex = ownLeaf(crypto, ratchetTree, publicPackage);
  const ownPath = { leafIndex, privateKeys: { [leafIndex * 2]: privatePackage.hpkePrivateKey } };
  // Also a check: there is no common ancestor with oneself.
  const ancestor = firstCommonAncestor(ratchetTree, leafIndex, toLeafIndex(groupInfo.signer));
  const privatePath = pathSecret
    ? mergePrivateKeyPaths(
        await toPrivateKeyPath(
          await pathToRoot(ratchetTree, ancestor, pathSecret, suite.kdf),
          leafIndex,
          suite,
        ),
        ownPath,
      )
    : ownPath;
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(
    joinerSecret,
    pskSecret,
    groupContext,
    suite.kdf,
  );
  if (!(await verifyGroupInfoConfirmationTag(groupInfo, joinerSecret, pskSecret, suite)))
    throw new SlimError('mls-failure', 'the confirmation of a welcome is wrong');
  joinerSecret.fill(0);
  const state = {
    groupContext,
    ratchetTree,
    privatePath,
    signaturePrivateKey: privatePackage.signaturePrivateKey,
    confirmationTag,
    unappliedProposals: {},
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig,
  } as const;
  return withSecrets(crypto, state, { keySchedule, encryptionSecret });
}

async function openWelcome(
  welcome: Welcome,
  { publicPackage, privatePackage }: OwnKeyPackage,
  suite: CiphersuiteImpl,
) {
  const reference = await makeKeyPackageRef(publicPackage, suite.hash);
  const initKey = await suite.hpke.importPrivateKey(privatePackage.initPrivateKey);
  const secrets = await decryptGroupSecrets(initKey, reference, welcome, suite.hpke);
  if (!secrets) throw new SlimError('mls-failure', 'the secrets of a welcome are malformed');
  const { joinerSecret, pathSecret, psks } = secrets;
  // Refuses every PSK, since there is none in SLIM.
  const noPsk = new Uint8Array(suite.kdf.size);
  const [pskSecret] = await accumulatePskSecret(psks, emptyPskIndex, suite, noPsk);
  const groupInfo = await decryptGroupInfo(welcome, joinerSecret, pskSecret, suite);
  if (!groupInfo) throw new SlimError('mls-failure', 'the group info of a welcome is malformed');
  return { groupInfo, joinerSecret, pathSecret, pskSecret };
}

/** The tree of a welcome: its signer, every leaf in it and its hash are verified. */
async function verifiedTree(
  groupInfo: GroupInfo,
  { cipherSuite, leafNode }: KeyPackage,
  suite: CiphersuiteImpl,
  { authService, lifetimeConfig }: ClientConfig,
) {
  const { groupContext, signer } = groupInfo;
  if (!extensionsSupportedByCapabilities(groupContext.extensions, leafNode.capabilities))
    throw new SlimError('mls-failure', 'the group has extensions that this side has not');
  const tree = ratchetTreeFromExtension(groupInfo);
  if (!tree) throw new SlimError('mls-failure', 'the welcome has no ratchet tree');
  const signing = tree[signer * 2];
  if (signing?.nodeType !== 'leaf') throw new SlimError('mls-failure', 'the signer is no member');
  const { credential, signaturePublicKey } = signing.leaf;
  if (!(await authService.validateCredential(credential, signaturePublicKey)))
    throw new SlimError('mls-failure', 'the signer of a welcome has no such key');
  if (!(await verifyGroupInfoSignature(groupInfo, signaturePublicKey, suite.signature)))
    throw new SlimError('mls-failure', 'the signature of a welcome is wrong');
  if (groupContext.cipherSuite !== cipherSuite)
    throw new SlimError('mls-failure', 'the group has another cipher suite');
  const { treeHash } = groupContext;
  throwIfDefined(
    await validateRatchetTree(tree, groupContext, lifetimeConfig, authService, treeHash, suite),
  );
  return tree;
}

/** Encryption keys are unique in a tree, so one leaf is compared and not all. */
function ownLeaf(
  crypto: Crypto,
  tree: ClientState['ratchetTree'],
  { leafNode }: KeyPackage,
): LeafIndex {
  const found = leavesOf(tree).find(({ node }) =>
    crypto.equal(node.hpkePublicKey, leafNode.hpkePublicKey),
  );
  if (!found || !crypto.equal(encodeLeafNode(found.node), encodeLeafNode(leafNode)))
    throw new SlimError('mls-failure', 'the welcome is to a group without this side');
  return toLeafIndex(found.leaf);
}
