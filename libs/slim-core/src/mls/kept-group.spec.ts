import { beforeAll, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { loadNameHash } from '../names/name-hash.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember, type MlsMember } from '../testing/mls-members.js';
import { MlsGroup, PendingMember, type KeptGroup } from './mls-group.js';

// The library compares lifetimes with the clock of the machine.
const clock = new ManualClock(Date.now() - 60_000);
const none = new Uint8Array(0);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (plaintext: Uint8Array): string => new TextDecoder().decode(plaintext);

beforeAll(() => loadNameHash());

const member = (name: string): Promise<MlsMember> => mlsMember(name, nodeCrypto, clock);

/** Another application joins; the others follow. */
async function joins(
  who: MlsMember,
  moderator: MlsGroup,
  ...others: MlsGroup[]
): Promise<MlsGroup> {
  const pending = await PendingMember.create(who.context, who.provider.token());
  const { commit, welcome } = await moderator.add(pending.keyPackage);
  for (const other of others) await other.applyCommit(commit);
  return pending.join(welcome);
}

async function three() {
  const [a, b, c] = [await member('a'), await member('b'), await member('c')];
  const moderator = await MlsGroup.create(a.context, a.provider.token());
  const second = await joins(b, moderator);
  const third = await joins(c, moderator, second);
  return { a, b, c, moderator, second, third };
}

/** As a disk keeps it: bytes that nobody shares. */
function copyOf({ epoch, tree }: KeptGroup): KeptGroup {
  return { epoch: epoch.slice(), tree: tree?.slice() };
}

const restored = (who: MlsMember, group: MlsGroup): MlsGroup =>
  MlsGroup.restore(who.context, copyOf(group.kept()));

/** What those hear to whom a member says that it is heard. */
function heard(from: MlsGroup, ...to: MlsGroup[]): string[] {
  const sealed = from.seal(bytes('heard'), bytes('headers'));
  const opened = to.map((group) => group.open(sealed));
  return opened.map((each) => `${text(each.plaintext)} ${text(each.authenticatedData)}`);
}

function expectHeard(from: MlsGroup, ...to: MlsGroup[]): void {
  expect(heard(from, ...to)).toStrictEqual(to.map(() => 'heard headers'));
}

describe('a group that is restored', () => {
  it('reads and writes in the epoch it was kept in', async () => {
    const { a, b, moderator, second, third } = await three();
    expectHeard(moderator, second, third);
    expectHeard(second, moderator, third);
    const again = restored(a, moderator);
    expect([again.epoch, again.subjects]).toStrictEqual([moderator.epoch, moderator.subjects]);
    expectHeard(again, second, third);
    expectHeard(second, again, third);
    expectHeard(restored(b, second), again, third);
  });

  it('makes and follows changes of the membership', async () => {
    const { a, b, c, moderator, second, third } = await three();
    const again = restored(a, moderator);
    const follower = restored(b, second);
    const d = await joins(await member('d'), again, follower, third);
    expectHeard(d, again, follower, third);

    const twice = restored(a, again);
    const { commit } = await twice.remove(c.provider.tokenId);
    const stays = restored(b, follower);
    await stays.applyCommit(commit);
    await d.applyCommit(commit);
    expectHeard(twice, stays, d);

    const pending = await PendingMember.create(b.context, b.provider.token());
    const replaced = await twice.replace(b.provider.tokenId, pending.keyPackage);
    await d.applyCommit(replaced.commit);
    expectHeard(await pending.join(replaced.welcome), twice, d);

    clock.advance(6_000);
    const refreshed = await twice.refresh(a.provider.token());
    await d.applyCommit(refreshed.commit);
    expect(heard(twice, d)).toStrictEqual(['heard headers']);
  });

  it('goes on when it was settled', async () => {
    const [a, b] = [await member('a'), await member('b')];
    const near = await MlsGroup.create(a.context, a.provider.token());
    const far = await joins(b, near);
    near.settle();
    far.settle();
    expectHeard(near, far);
    expect(near.kept().tree).toBeUndefined();
    const again = restored(a, near);
    expectHeard(again, far);
    expectHeard(restored(b, far), restored(a, again));
  });

  it('uses no generation twice, however little of what it did was kept', async () => {
    const { a, moderator, second } = await three();
    let group = moderator;
    let onDisk = copyOf(moderator.kept());
    for (const count of [0, 1, 31, 32, 33, 70]) {
      const writing = group;
      writing.keepWith(() => {
        const kept = writing.kept();
        onDisk = copyOf({ ...kept, tree: kept.tree ?? onDisk.tree });
        kept.done();
      });
      // A generation that was used before does not open a second time.
      for (let at = 0; at < count; at += 1) second.open(writing.seal(bytes('one'), none));
      group = MlsGroup.restore(a.context, onDisk);
    }
    expect(heard(group, second)).toStrictEqual(['heard headers']);
  });

  it('seals nothing while it cannot be kept', async () => {
    const { moderator, second } = await three();
    let isFull = true;
    moderator.keepWith(() => {
      if (isFull) throw new Error('full');
      moderator.kept().done();
    });
    expect(() => moderator.seal(bytes('one'), none)).toThrow('full');
    isFull = false;
    expectHeard(moderator, second);
  });

  it('asks to be kept once in many messages, and when the epoch changed', async () => {
    const { moderator, second } = await three();
    let asked = 0;
    second.keepWith(() => {
      asked += 1;
      second.kept().done();
    });
    for (let at = 0; at < 512; at += 1) second.open(moderator.seal(none, none));
    expect(asked).toBe(2);
    for (let at = 0; at < 64; at += 1) second.seal(none, none);
    expect(asked).toBe(3);
    await joins(await member('d'), moderator, second);
    second.seal(none, none);
    expect(asked).toBe(4);
  });

  it('cannot open what was opened before it was kept', async () => {
    const { b, moderator, second } = await three();
    const sealed = moderator.seal(bytes('old'), none);
    second.open(sealed);
    const again = restored(b, second);
    expect(() => again.open(sealed)).toThrow(/was used before/);
    expectHeard(moderator, again);
  });

  it('keeps the tree only when it changed', async () => {
    const { moderator, second } = await three();
    moderator.keepWith(() => undefined);
    const first = moderator.kept();
    expect(first.tree).toBeDefined();
    first.done();
    expect(moderator.kept().tree).toBeUndefined();
    await joins(await member('d'), moderator, second);
    expect(moderator.kept().tree).toBeDefined();
  });

  it('is refused when its parts are of two epochs', async () => {
    const { a, moderator, second } = await three();
    const before = copyOf(moderator.kept());
    await joins(await member('d'), moderator, second);
    const after = copyOf(moderator.kept());
    const mixed = { epoch: after.epoch, tree: before.tree };
    expect(() => MlsGroup.restore(a.context, mixed)).toThrow(
      expect.objectContaining({ code: 'mls-failure' }),
    );
  });
});
