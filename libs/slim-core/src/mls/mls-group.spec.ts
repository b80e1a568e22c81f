import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { fromHex, toHex } from '../testing/hex.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember, type MlsMember } from '../testing/mls-members.js';
import { MlsGroup, PendingMember } from './mls-group.js';

const failure = { code: 'mls-failure' };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const aad = utf8('aad');
const msPerHour = 3_600_000;

interface InGroup extends MlsMember {
  readonly group: MlsGroup;
}

/** Alice's group, and how others come in: those who are there apply the commit, the new one joins. */
async function setup(...names: readonly string[]) {
  // The library compares lifetimes with the clock of the machine, so this one starts near it.
  const clock = new ManualClock(Date.now() - 12 * msPerHour);
  const member = (name: string, secret?: string): Promise<MlsMember> =>
    mlsMember(name, nodeCrypto, clock, secret);
  const apply = async (groups: readonly InGroup[], commit: Uint8Array): Promise<void> => {
    for (const { group } of groups) await group.applyCommit(commit);
  };
  const alice = await member('alice');
  const group = await MlsGroup.create(alice.context, alice.provider.token());
  const joined: InGroup[] = [];
  for (const name of names) {
    const added = await member(name);
    const pending = await PendingMember.create(added.context, added.provider.token());
    const { commit, welcome } = await group.add(pending.keyPackage);
    await apply(joined, commit);
    joined.push({ ...added, group: await pending.join(welcome) });
  }
  return { clock, member, apply, alice: { ...alice, group }, joined };
}

function first<Item>([item]: readonly Item[]): Item {
  if (item === undefined) throw new Error('nobody joined');
  return item;
}

/** Sends a message from each to each of the others. */
function expectConversation(members: readonly InGroup[]): void {
  for (const sender of members) {
    const sealed = sender.group.seal(utf8(`of ${sender.provider.tokenId}`), aad);
    for (const receiver of members) {
      if (receiver === sender) continue;
      expect(receiver.group.open(sealed)).toMatchObject({
        plaintext: utf8(`of ${sender.provider.tokenId}`),
        senderSubject: sender.provider.tokenId,
      });
    }
  }
}

describe('a new group', () => {
  it('has its creator as the only member, in epoch 0', async () => {
    const { alice } = await setup();
    expect(alice.group.epoch).toBe(0n);
    expect(alice.group.subjects).toStrictEqual([alice.provider.tokenId]);
  });

  it('has a random id of its own', async () => {
    const [one, other] = [await setup(), await setup()];
    expect(() => one.alice.group.open(other.alice.group.seal(utf8('x'), aad))).toThrow(
      'the message is of another group',
    );
  });
});

describe('adding a member', () => {
  it('moves everybody to the next epoch, where all understand each other', async () => {
    const { alice, joined } = await setup('bob', 'carol', 'dave');
    const everybody = [alice, ...joined];
    expect(everybody.map(({ group }) => group.epoch)).toStrictEqual([3n, 3n, 3n, 3n]);
    const subjects = everybody.map(({ provider }) => provider.tokenId);
    for (const { group } of everybody) expect(group.subjects).toStrictEqual(subjects);
    expectConversation(everybody);
  });

  it('can be done for several in one commit', async () => {
    const { alice, member } = await setup();
    const [bob, carol] = [await member('bob'), await member('carol')];
    const pending = await Promise.all(
      [bob, carol].map(({ context, provider }) => PendingMember.create(context, provider.token())),
    );
    const { welcome } = await alice.group.add(...pending.map(({ keyPackage }) => keyPackage));
    const groups = await Promise.all(pending.map((one) => one.join(welcome)));
    expect(alice.group.epoch).toBe(1n);
    expect(groups.map(({ epoch }) => epoch)).toStrictEqual([1n, 1n]);
  });

  it('is refused for somebody who is in already', async () => {
    const { alice, joined } = await setup('bob');
    const { context, provider } = first(joined);
    const again = await PendingMember.create(context, provider.token());
    await expect(alice.group.add(again.keyPackage)).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining('is in the group already'),
    });
    expect(alice.group.epoch).toBe(1n);
    expectConversation([alice, ...joined]);
  });

  it('is refused for the same subject twice in one commit', async () => {
    const { alice, member } = await setup();
    const { context, provider } = await member('bob');
    const packages = await Promise.all(
      [1, 2].map(async () => (await PendingMember.create(context, provider.token())).keyPackage),
    );
    await expect(alice.group.add(...packages)).rejects.toMatchObject(failure);
    expect(alice.group.subjects).toHaveLength(1);
  });

  it('is refused for an identity of another secret', async () => {
    const { alice, member } = await setup();
    const { context, provider } = await member('mallory', 'another secret, also of 32 bytes');
    const pending = await PendingMember.create(context, provider.token());
    await expect(alice.group.add(pending.keyPackage)).rejects.toMatchObject({
      code: 'identity-rejected',
    });
    expect(alice.group.epoch).toBe(0n);
  });

  it('is refused for a token that is not about the key of the package', async () => {
    const { alice, member } = await setup();
    const [bob, mallory] = [await member('bob'), await member('mallory')];
    const pending = await PendingMember.create(mallory.context, bob.provider.token());
    await expect(alice.group.add(pending.keyPackage)).rejects.toMatchObject(failure);
    expect(alice.group.epoch).toBe(0n);
  });

  it.each([
    { what: 'nothing', bytes: () => new Uint8Array() },
    { what: 'noise', bytes: () => fromHex('00010005ffffffff') },
    { what: 'a key package that is cut', bytes: (good: Uint8Array) => good.subarray(0, 200) },
    {
      what: 'a key package that was changed',
      bytes: (good: Uint8Array) => good.map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
    },
  ])('is refused for $what', async ({ bytes }) => {
    const { alice, member } = await setup();
    const { context, provider } = await member('bob');
    const { keyPackage } = await PendingMember.create(context, provider.token());
    await expect(alice.group.add(bytes(keyPackage))).rejects.toMatchObject(failure);
    expect(alice.group.epoch).toBe(0n);
  });

  it('works with tokens that have grown old, because a group outlives them', async () => {
    const { clock, alice, member, apply, joined } = await setup('bob');
    clock.advance(10 * msPerHour);
    const carol = await member('carol');
    const pending = await PendingMember.create(carol.context, carol.provider.token());
    const { commit, welcome } = await alice.group.add(pending.keyPackage);
    await apply(joined, commit);
    const group = await pending.join(welcome);
    expect(group.subjects).toHaveLength(3);
    expectConversation([alice, ...joined, { ...carol, group }]);
  });
});

describe('joining', () => {
  it.each([
    { what: 'nothing', bytes: () => new Uint8Array() },
    { what: 'noise', bytes: () => fromHex('00010003ffff') },
    { what: 'a commit', bytes: (_: Uint8Array, commit: Uint8Array) => commit },
    { what: 'a welcome that is cut', bytes: (good: Uint8Array) => good.subarray(0, 300) },
    {
      what: 'a welcome that was changed',
      bytes: (good: Uint8Array) =>
        good.map((byte, at) => (at === good.length - 9 ? byte ^ 1 : byte)),
    },
  ])('is refused with $what', async ({ bytes }) => {
    const { alice, member } = await setup();
    const { context, provider } = await member('bob');
    const pending = await PendingMember.create(context, provider.token());
    const { welcome, commit } = await alice.group.add(pending.keyPackage);
    await expect(pending.join(bytes(welcome, commit))).rejects.toMatchObject(failure);
  });

  it('is refused with the welcome of somebody else', async () => {
    const { alice, member } = await setup();
    const [bob, eve] = [await member('bob'), await member('eve')];
    const [invited, other] = await Promise.all(
      [bob, eve].map(({ context, provider }) => PendingMember.create(context, provider.token())),
    );
    const { welcome } = await alice.group.add(invited?.keyPackage ?? aad);
    await expect(other?.join(welcome)).rejects.toMatchObject(failure);
  });

  it('is refused when a member has an identity of another secret', async () => {
    const { member } = await setup();
    const mallory = await member('mallory', 'another secret, also of 32 bytes');
    const bob = await member('bob');
    const pending = await PendingMember.create(bob.context, bob.provider.token());
    // Mallory takes anybody in; bob does not want to be in a group with her.
    const { verifier } = bob.context;
    const anybody = {
      verify: mallory.context.verifier.verify.bind(mallory.context.verifier),
      verifyCredential: (token: string) =>
        token.startsWith('bob')
          ? verifier.verifyCredential(token)
          : mallory.context.verifier.verifyCredential(token),
    };
    const context = { ...mallory.context, verifier: anybody };
    const group = await MlsGroup.create(context, mallory.provider.token());
    const { welcome } = await group.add(pending.keyPackage);
    await expect(pending.join(welcome)).rejects.toMatchObject({ code: 'identity-rejected' });
  });
});

describe('removing a member', () => {
  it('keeps it out of what is said afterwards', async () => {
    const { alice, joined, apply } = await setup('bob', 'carol');
    const bob = first(joined);
    const others = joined.slice(1);
    const { commit } = await alice.group.remove(bob.provider.tokenId);
    await apply(others, commit);
    await expect(bob.group.applyCommit(commit)).rejects.toMatchObject({ code: 'not-a-member' });
    expect(alice.group.subjects).not.toContain(bob.provider.tokenId);
    expectConversation([alice, ...others]);
    expect(() => bob.group.open(alice.group.seal(utf8('secret'), aad))).toThrow(
      'no keys for epoch 3, now 2',
    );
  });

  it('leaves its late messages readable', async () => {
    const { alice, joined } = await setup('bob');
    const bob = first(joined);
    const late = bob.group.seal(utf8('late'), aad);
    await alice.group.remove(bob.provider.tokenId);
    expect(alice.group.open(late)).toMatchObject({ senderSubject: bob.provider.tokenId });
  });

  it('is refused for somebody who is not in', async () => {
    const { alice } = await setup('bob');
    await expect(alice.group.remove('carol')).rejects.toMatchObject({ code: 'not-a-member' });
    expect(alice.group.epoch).toBe(1n);
  });

  it('makes room for somebody else', async () => {
    const { alice, joined, member } = await setup('bob');
    await alice.group.remove(first(joined).provider.tokenId);
    const carol = await member('carol');
    const pending = await PendingMember.create(carol.context, carol.provider.token());
    const { welcome } = await alice.group.add(pending.keyPackage);
    const group = await pending.join(welcome);
    expect(group.subjects).toStrictEqual([alice.provider.tokenId, carol.provider.tokenId]);
    expectConversation([alice, { ...carol, group }]);
  });
});

describe('replacing a member', () => {
  it('brings one back that fell behind', async () => {
    const { alice, joined, apply } = await setup('bob', 'carol');
    const bob = first(joined);
    const others = joined.slice(1);
    const pending = await PendingMember.create(bob.context, bob.provider.token());
    const { commit, welcome } = await alice.group.replace(bob.provider.tokenId, pending.keyPackage);
    await apply(others, commit);
    expectConversation([alice, ...others, { ...bob, group: await pending.join(welcome) }]);
    expect(alice.group.subjects).toHaveLength(3);
  });

  it('is refused with the key package of somebody else', async () => {
    const { alice, joined, member } = await setup('bob');
    const mallory = await member('mallory');
    const pending = await PendingMember.create(mallory.context, mallory.provider.token());
    const replaced = alice.group.replace(first(joined).provider.tokenId, pending.keyPackage);
    await expect(replaced).rejects.toMatchObject(failure);
    expect(alice.group.epoch).toBe(1n);
  });
});

describe('refreshing the own leaf', () => {
  it('gives it a new token and changes nothing else', async () => {
    const { clock, alice, joined, apply } = await setup('bob', 'carol');
    clock.advance(3_000_000);
    const { commit, welcome } = await alice.group.refresh(alice.provider.token());
    await apply(joined, commit);
    expect(welcome).toHaveLength(0);
    expect(alice.group.epoch).toBe(3n);
    expectConversation([alice, ...joined]);
  });
});

describe('applying a commit', () => {
  it.each([
    { what: 'nothing', bytes: () => new Uint8Array() },
    { what: 'noise', bytes: () => fromHex('00010001ff') },
    { what: 'a commit that is cut', bytes: (good: Uint8Array) => good.subarray(0, 150) },
    {
      what: 'a commit that was changed',
      bytes: (good: Uint8Array) =>
        good.map((byte, at) => (at === good.length - 40 ? byte ^ 1 : byte)),
    },
    { what: 'an application message', bytes: (_: Uint8Array, message: Uint8Array) => message },
  ])('is refused for $what, and the genuine one can follow', async ({ bytes }) => {
    const { alice, joined, member } = await setup('bob');
    const bob = first(joined);
    const carol = await member('carol');
    const { keyPackage } = await PendingMember.create(carol.context, carol.provider.token());
    const message = alice.group.seal(utf8('x'), aad);
    const { commit } = await alice.group.add(keyPackage);
    await expect(bob.group.applyCommit(bytes(commit, message))).rejects.toMatchObject(failure);
    expect(bob.group.epoch).toBe(1n);
    await bob.group.applyCommit(commit);
    expectConversation([alice, bob]);
  });

  it('is refused a second time', async () => {
    const { alice, joined } = await setup('bob');
    const { commit } = await alice.group.refresh(alice.provider.token());
    const { group } = first(joined);
    await group.applyCommit(commit);
    await expect(group.applyCommit(commit)).rejects.toMatchObject(failure);
    expect(group.epoch).toBe(2n);
  });
});

describe('messages of other epochs', () => {
  it('of the last four can be opened, older and future ones cannot', async () => {
    const { alice, joined, apply } = await setup('bob');
    const { group } = first(joined);
    const sealed: Uint8Array[] = [];
    const commits: Uint8Array[] = [];
    for (let round = 0; round < 6; round += 1) {
      sealed.push(alice.group.seal(Uint8Array.of(round), aad));
      commits.push((await alice.group.refresh(alice.provider.token())).commit);
    }
    expect(() => group.open(sealed[1] ?? aad)).toThrow('no keys for epoch 2, now 1');
    for (const commit of commits) await apply(joined, commit);
    expect(group.epoch).toBe(7n);
    for (const [index, message] of sealed.entries()) {
      if (index < 2) expect(() => group.open(message)).toThrow(expect.objectContaining(failure));
      else expect(toHex(group.open(message).plaintext)).toBe(`0${index}`);
    }
  });
});

describe('a group that is settled', () => {
  it('goes on with its messages, and changes no more', async () => {
    const { alice, joined, member } = await setup('bob');
    const bob = first(joined);
    const carol = await member('carol');
    const { keyPackage } = await PendingMember.create(carol.context, carol.provider.token());
    for (const { group } of [alice, bob]) group.settle();
    expectConversation([alice, bob]);
    expect([alice.group.epoch, bob.group.epoch]).toStrictEqual([1n, 1n]);
    await expect(alice.group.add(keyPackage)).rejects.toMatchObject(failure);
    await expect(alice.group.remove(bob.provider.tokenId)).rejects.toMatchObject(failure);
    expectConversation([alice, bob]);
  });

  it('understands a side that is not settled', async () => {
    const { alice, joined } = await setup('bob');
    alice.group.settle();
    expectConversation([alice, ...joined]);
    expect(joined).toHaveLength(1);
  });
});
