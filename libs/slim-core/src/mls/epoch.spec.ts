import { describe, expect, it } from '@jest/globals';
import {
  createApplicationMessage,
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  joinGroup,
  processPrivateMessage,
  type ClientState,
} from 'ts-mls';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Crypto } from '../crypto/crypto.js';
import { fromHex, toHex } from '../testing/hex.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember, type MlsMember } from '../testing/mls-members.js';
import { parseApplicationMessage } from './epoch.js';
import { MemberIdentities, tokenCredential } from './member-identities.js';
import { fromLibrary } from './member-state.js';
import { MlsGroup, type MlsContext } from './mls-group.js';

const failure = expect.objectContaining({ code: 'mls-failure' });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const aad = utf8('what is authenticated beside');

/** A member of the library, with our credential. */
async function libraryPackage({ provider, context: { suite } }: MlsMember) {
  const { publicKey, privateKey: signKey } = provider.keys;
  const credential = tokenCredential(provider.token());
  const pair = { publicKey, signKey };
  return generateKeyPackageWithKey(
    credential,
    defaultCapabilities(),
    defaultLifetime,
    [],
    pair,
    suite,
  );
}

/** Alice and Bob in one group, made by the library alone. */
async function librarySetup() {
  const clock = new ManualClock();
  const [alice, bob] = await Promise.all([
    mlsMember('alice', nodeCrypto, clock),
    mlsMember('bob', nodeCrypto, clock),
  ]);
  const { suite } = alice.context;
  const [own, other] = await Promise.all([libraryPackage(alice), libraryPackage(bob)]);
  const alone = await createGroup(utf8('group'), own.publicPackage, own.privatePackage, [], suite);
  const { newState, welcome } = await createCommit(
    { state: alone, cipherSuite: suite },
    {
      ratchetTreeExtension: true,
      extraProposals: [{ proposalType: 'add', add: { keyPackage: other.publicPackage } }],
    },
  );
  if (!welcome) throw new Error('no welcome');
  const { publicPackage, privatePackage } = other;
  const joined = await joinGroup(welcome, publicPackage, privatePackage, emptyPskIndex, suite);
  return {
    alice: { ...alice, state: newState },
    bob: { ...bob, state: joined },
  };
}

type Member = Awaited<ReturnType<typeof librarySetup>>['alice'];

/** The member on our side, which can be made to misbehave through its context. */
async function ours({ context, state }: Member, changes: Partial<MlsContext> = {}) {
  const identities = new MemberIdentities(context.verifier);
  for (const node of state.ratchetTree) {
    if (node?.nodeType === 'leaf') await identities.verify(node.leaf.credential);
  }
  return new MlsGroup({ ...context, ...changes }, identities, fromLibrary(state));
}

/** The member on the side of the library. */
function theirs({ context: { suite }, state: start }: Member) {
  let state: ClientState = start;
  return {
    async seal(plaintext: Uint8Array, authenticatedData: Uint8Array): Promise<Uint8Array> {
      const sealed = await createApplicationMessage(state, plaintext, suite, authenticatedData);
      state = sealed.newState;
      const { privateMessage } = sealed;
      return encodeMlsMessage({
        version: 'mls10',
        wireformat: 'mls_private_message',
        privateMessage,
      });
    },
    async open(bytes: Uint8Array): Promise<string> {
      const message = decodeMlsMessage(bytes, 0)?.[0];
      if (message?.wireformat !== 'mls_private_message') throw new Error('not a private message');
      const { privateMessage } = message;
      const opened = await processPrivateMessage(state, privateMessage, emptyPskIndex, suite);
      if (opened.kind !== 'applicationMessage') throw new Error('not an application message');
      state = opened.newState;
      expect(toHex(privateMessage.authenticatedData)).toBe(toHex(aad));
      return toHex(opened.message);
    },
  };
}

const sizes = [0, 1, 100, 255, 256, 257, 1_000, 20_000];
const order = [3, 0, 4, 1, 2];

describe('an application message', () => {
  it.each(sizes)('of %d bytes is opened by the MLS library', async (size) => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [await ours(alice), theirs(bob)];
    const plaintext = new Uint8Array(size).fill(7);
    expect(await reader.open(sender.seal(plaintext, aad))).toBe(toHex(plaintext));
  });

  it.each(sizes)('of %d bytes is opened that the MLS library sealed', async (size) => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [theirs(alice), await ours(bob)];
    const plaintext = new Uint8Array(size).fill(7);
    const opened = reader.open(await sender.seal(plaintext, aad));
    expect(toHex(opened.plaintext)).toBe(toHex(plaintext));
    expect(toHex(opened.authenticatedData)).toBe(toHex(aad));
    expect(opened.senderSubject).toBe(alice.provider.tokenId);
  });

  it('may be one of many that arrive out of order, at the library', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [await ours(alice), theirs(bob)];
    const sealed = order.map((_, index) => sender.seal(Uint8Array.of(index), aad));
    const opened = [];
    for (const index of order) opened.push(await reader.open(sealed[index] ?? aad));
    expect(opened).toStrictEqual(order.map((index) => `0${index}`));
  });

  it('may be one of many that arrive out of order, at us', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [theirs(alice), await ours(bob)];
    const sealed: Uint8Array[] = [];
    for (const index of order.keys()) sealed.push(await sender.seal(Uint8Array.of(index), aad));
    const opened = order.map((index) => toHex(reader.open(sealed[index] ?? aad).plaintext));
    expect(opened).toStrictEqual(order.map((index) => `0${index}`));
  });

  it('goes both ways at once', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, other] = [await ours(alice), theirs(bob)];
    for (const text of ['ping', 'ping again']) {
      expect(await other.open(sender.seal(utf8(text), aad))).toBe(toHex(utf8(text)));
      const answer = sender.open(await other.seal(utf8(`no: ${text}`), aad));
      expect(toHex(answer.plaintext)).toBe(toHex(utf8(`no: ${text}`)));
      expect(answer.senderSubject).toBe(bob.provider.tokenId);
    }
  });

  it('hides the length of a short plaintext', async () => {
    const { alice } = await librarySetup();
    const sender = await ours(alice);
    const lengths = [0, 1, 50, 150].map((size) => {
      const sealed = sender.seal(new Uint8Array(size), aad);
      return parseApplicationMessage(sealed).ciphertext.length;
    });
    expect(new Set(lengths).size).toBe(1);
  });

  it('says in clear of which group and epoch it is, and what it authenticates', async () => {
    const { alice } = await librarySetup();
    const message = parseApplicationMessage((await ours(alice)).seal(utf8('secret'), aad));
    expect(toHex(message.groupId)).toBe(toHex(utf8('group')));
    expect(message.epoch).toBe(1n);
    expect(toHex(message.authenticatedData)).toBe(toHex(aad));
  });
});

describe('a message that is not what it should be', () => {
  it('is refused the second time', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [await ours(alice), await ours(bob)];
    const sealed = sender.seal(utf8('once'), aad);
    reader.open(sealed);
    expect(() => reader.open(sealed)).toThrow('generation 0 was used before');
  });

  it('is refused with any byte changed, and the genuine one is opened all the same', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [await ours(alice), await ours(bob)];
    const sealed = sender.seal(utf8('genuine'), aad);
    for (let at = 0; at < sealed.length; at += 1) {
      const forged = sealed.slice();
      forged[at] = (forged[at] ?? 0) ^ 0x01;
      expect(() => reader.open(forged)).toThrow(failure);
    }
    expect(toHex(reader.open(sealed).plaintext)).toBe(toHex(utf8('genuine')));
  });

  it('is refused when it is cut, at whatever length', async () => {
    const { alice, bob } = await librarySetup();
    const [sender, reader] = [await ours(alice), await ours(bob)];
    const sealed = sender.seal(utf8('genuine'), aad);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => reader.open(sealed.subarray(0, length))).toThrow(failure);
    }
  });

  it('is refused when another member signed in the name of the sender', async () => {
    const { alice, bob } = await librarySetup();
    const forger = await ours(alice, { keys: bob.provider.keys });
    const reader = await ours(bob);
    expect(() => reader.open(forger.seal(utf8('forged'), aad))).toThrow(
      'the signature of an application message is wrong',
    );
  });

  it('is refused when its padding is not zero', async () => {
    const { alice, bob } = await librarySetup();
    const crypto: Crypto = {
      ...nodeCrypto,
      seal: (key, nonce, data, plaintext) => {
        const changed = plaintext.slice();
        if (changed.length === 256) changed[255] = 1;
        return nodeCrypto.seal(key, nonce, data, changed);
      },
    };
    const sender = await ours(alice, { crypto });
    const reader = await ours(bob);
    expect(() => reader.open(sender.seal(utf8('padded'), aad))).toThrow(
      'the padding of an application message is not zero',
    );
  });

  it('is refused when too many before it never came, and earlier ones are not lost', async () => {
    const { alice, bob } = await librarySetup();
    const signed = { ...nodeCrypto };
    const [sender, reader] = [await ours(alice, { crypto: signed }), await ours(bob)];
    const seal = (): Uint8Array => sender.seal(utf8('x'), aad);
    const first = seal();
    // Nobody reads those between, so their signatures may be anything.
    signed.sign = () => new Uint8Array(64);
    for (let generation = 1; generation < 16_385; generation += 1) seal();
    signed.sign = (key, data) => nodeCrypto.sign(key, data);
    const last = seal();
    expect(() => reader.open(last)).toThrow('generation 16385 is too far ahead');
    expect(() => reader.open(first)).not.toThrow();
    expect(() => reader.open(last)).not.toThrow();
  });

  it.each([
    { what: 'nothing', hex: '' },
    { what: 'a public message', hex: '0001 0001 00' },
    { what: 'another version', hex: '0002 0002 00' },
    { what: 'a proposal', hex: '0001 0002 00 0000000000000000 02 00 00 00' },
    { what: 'a commit', hex: '0001 0002 00 0000000000000000 03 00 00 00' },
  ])('is refused when it is $what', ({ hex }) => {
    expect(() => parseApplicationMessage(fromHex(hex))).toThrow(failure);
  });
});
