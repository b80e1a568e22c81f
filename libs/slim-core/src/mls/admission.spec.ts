import { describe, expect, it } from '@jest/globals';
import type { CiphersuiteName, ClientState, KeyPackage } from 'ts-mls';
import { createGroup } from 'ts-mls/clientState.js';
import { encodeKeyPackageTBS, generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { encodeLeafNodeTBS } from 'ts-mls/leafNode.js';
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember } from '../testing/mls-members.js';
import { admit } from './admission.js';
import { toBytes } from './commit-bytes.js';
import { clientConfig, makeKeyPackage } from './key-package.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';

const nowMs = 1_700_000_000_000;
const msPerSecond = 1_000;
const yearMs = 365 * 24 * 3600 * msPerSecond;

async function person(name: string) {
  const { context, provider } = await mlsMember(name, nodeCrypto, new ManualClock(nowMs));
  const token = provider.token();
  return { context, token, keyPackage: (await makeKeyPackage(context, token)).publicPackage };
}

/** A group of one, and what it says to key packages. */
async function setup() {
  const { context, token, keyPackage } = await person('alice');
  const { suite } = context;
  const config = clientConfig(context, new MemberIdentities(context.verifier));
  const own = await makeKeyPackage(context, token);
  const { publicPackage, privatePackage } = own;
  const id = nodeCrypto.random(32);
  const state: ClientState = await createGroup(
    id,
    publicPackage,
    privatePackage,
    [],
    suite,
    config,
  );
  const take = (packages: readonly KeyPackage[], atMs?: number) =>
    admit(
      suite,
      state,
      packages.map((one) => ({ keyPackage: one, bytes: toBytes(one) })),
      atMs,
    );
  return { suite, state, take, again: keyPackage };
}

const refused = expect.objectContaining({ code: 'mls-failure' });

describe('admit', () => {
  it('puts leaves where the library puts them', async () => {
    const { state, take } = await setup();
    const [bob, carol] = [await person('bob'), await person('carol')];
    const tree = await take([bob.keyPackage, carol.keyPackage], nowMs);
    const [own] = state.ratchetTree;
    const leaf = (one: KeyPackage) => ({ nodeType: 'leaf', leaf: one.leafNode }) as const;
    expect(toHex(encodeRatchetTree(tree))).toBe(
      toHex(
        encodeRatchetTree([
          own,
          undefined,
          leaf(bob.keyPackage),
          undefined,
          leaf(carol.keyPackage),
        ]),
      ),
    );
  });

  it('is given the bytes that the library signs', async () => {
    const { keyPackage } = await person('bob');
    const { signedLeaf, signedPackage } = toBytes(keyPackage);
    expect(toHex(signedPackage)).toBe(toHex(encodeKeyPackageTBS(keyPackage)));
    expect(toHex(signedLeaf)).toBe(toHex(encodeLeafNodeTBS(keyPackage.leafNode)));
  });

  it('refuses a key that is in the group, or comes twice', async () => {
    const { take, again } = await setup();
    const bob = await person('bob');
    await expect(take([again], nowMs)).rejects.toThrow(refused);
    await expect(take([bob.keyPackage, bob.keyPackage], nowMs)).rejects.toThrow(refused);
  });

  it.each<[string, (good: KeyPackage) => KeyPackage]>([
    ['signature of the package', (good) => ({ ...good, signature: flip(good.signature) })],
    [
      'signature of the leaf',
      ({ leafNode, ...rest }) => ({
        ...rest,
        leafNode: { ...leafNode, signature: flip(leafNode.signature) },
      }),
    ],
    ['init key', (good) => ({ ...good, initKey: good.leafNode.hpkePublicKey })],
    ['cipher suite', (good) => ({ ...good, cipherSuite: otherSuite })],
    [
      'extension',
      ({ leafNode, ...rest }) => ({
        ...rest,
        leafNode: {
          ...leafNode,
          extensions: [{ extensionType: 0xf000, extensionData: new Uint8Array() }],
        },
      }),
    ],
  ])('refuses a wrong %s', async (_what, spoil) => {
    const { take } = await setup();
    const { keyPackage } = await person('bob');
    await expect(take([spoil(keyPackage)])).rejects.toThrow(refused);
    await expect(take([keyPackage])).resolves.toHaveLength(3);
  });

  it('refuses a credential that is about another key', async () => {
    const { suite, take } = await setup();
    const [bob, carol] = [await person('bob'), await person('carol')];
    const { privateKey: signKey, publicKey } = bob.context.keys;
    const { capabilities, lifetime } = bob.keyPackage.leafNode;
    const credential = tokenCredential(carol.token);
    const pair = { signKey, publicKey };
    const stolen = await generateKeyPackageWithKey(
      credential,
      capabilities,
      lifetime,
      [],
      pair,
      suite,
    );
    await expect(take([stolen.publicPackage])).rejects.toThrow(refused);
  });

  it('checks the lifetime where it commits, and lets clocks be a little apart', async () => {
    const { take } = await setup();
    const { keyPackage } = await person('bob');
    const startMs = Number(keyPackage.leafNode.lifetime.notBefore) * msPerSecond;
    await expect(take([keyPackage], startMs - 5_000)).resolves.toHaveLength(3);
    await expect(take([keyPackage], startMs - 6_000)).rejects.toThrow(refused);
    await expect(take([keyPackage], nowMs + yearMs)).resolves.toHaveLength(3);
    await expect(take([keyPackage], nowMs + yearMs + 1_000)).rejects.toThrow(refused);
    // Those already in the group take what the moderator took.
    await expect(take([keyPackage])).resolves.toHaveLength(3);
  });
});

const otherSuite: CiphersuiteName = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';

const flip = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte));
