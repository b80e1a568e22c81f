import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadNameHash, SlimError, systemClock } from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { MlsGroup, PendingMember } from '../../libs/slim-core/src/mls/mls-group.js';
import { mlsMember } from '../../libs/slim-core/src/testing/mls-members.js';
import { changed, changes, joined, runs, within } from './fuzz.js';
import { expectNothingUnhandled } from './unhandled.js';

const aad = new TextEncoder().encode('aad');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function failsAsMls(call: () => unknown): Promise<boolean> {
  try {
    await call();
    return false;
  } catch (reason) {
    expect(reason).toBeInstanceOf(SlimError);
    const { code } = reason as SlimError;
    expect(['mls-failure', 'identity-rejected', 'already-a-member']).toContain(code);
    return true;
  }
}

async function member(name: string) {
  const { context, provider } = await mlsMember(name, nodeCrypto, systemClock);
  return { context, provider, token: (): string => provider.token() };
}

/** A group of two, somebody who wants in, and the genuine messages for that. */
async function setup() {
  const [alice, bob, carol] = [await member('alice'), await member('bob'), await member('carol')];
  const group = await MlsGroup.create(alice.context, alice.token());
  const pendingBob = await PendingMember.create(bob.context, bob.token());
  const { welcome } = await group.add(pendingBob.keyPackage);
  const theirs = await pendingBob.join(welcome);
  const pending = await PendingMember.create(carol.context, carol.token());
  return { group, theirs, pending };
}

const garbage = fc.uint8Array({ maxLength: 300 });

describe('group keys', () => {
  beforeAll(loadNameHash);
  expectNothingUnhandled();

  it(
    'open nothing that was changed, and open the genuine message after it',
    async () => {
      const { group, theirs } = await setup();
      let count = 0;
      fc.assert(
        fc.property(changes, fc.option(garbage, { nil: undefined }), (list, noise) => {
          const genuine = text(`message ${(count += 1)}`);
          const sealed = group.seal(genuine, aad);
          const damaged = noise ?? changed(sealed, list);
          try {
            // A change may undo itself, or touch what is said without weight.
            expect(theirs.open(damaged).plaintext).toStrictEqual(genuine);
            expect(Buffer.from(damaged)).toStrictEqual(Buffer.from(sealed));
          } catch (reason) {
            if (!(reason instanceof SlimError)) throw reason;
            expect(reason.code).toBe('mls-failure');
            expect(theirs.open(sealed)).toMatchObject({ plaintext: genuine });
          }
        }),
        runs(300),
      );
    },
    within(10),
  );

  it(
    'open no message with something behind it',
    async () => {
      const { group, theirs } = await setup();
      const sealed = group.seal(text('genuine'), aad);
      for (const behind of [Uint8Array.of(0), sealed]) {
        expect(await failsAsMls(() => theirs.open(joined(sealed, behind)))).toBe(true);
      }
      expect(theirs.open(sealed).plaintext).toStrictEqual(text('genuine'));
    },
    within(10),
  );

  it(
    'take no commit, welcome or key package that was changed, and the genuine one after it',
    async () => {
      const { group, theirs, pending } = await setup();
      const { keyPackage } = pending;
      await fc.assert(
        fc.asyncProperty(changes, fc.option(garbage, { nil: undefined }), async (list, noise) => {
          const damaged = noise ?? changed(keyPackage, list);
          if (Buffer.from(damaged).equals(Buffer.from(keyPackage))) return;
          const { epoch } = group;
          if (await failsAsMls(() => group.add(damaged))) expect(group.epoch).toBe(epoch);
          else throw new Error('a key package that was changed was taken');
        }),
        runs(60),
      );
      const { commit, welcome } = await group.add(keyPackage);
      await fc.assert(
        fc.asyncProperty(changes, fc.option(garbage, { nil: undefined }), async (list, noise) => {
          const badCommit = noise ?? changed(commit, list);
          const badWelcome = noise ?? changed(welcome, list);
          if (!Buffer.from(badCommit).equals(Buffer.from(commit))) {
            expect(await failsAsMls(() => theirs.applyCommit(badCommit))).toBe(true);
          }
          if (!Buffer.from(badWelcome).equals(Buffer.from(welcome))) {
            await failsAsMls(() => pending.join(badWelcome));
          }
          expect(theirs.epoch).toBe(1n);
        }),
        runs(60),
      );
      await theirs.applyCommit(commit);
      const third = await pending.join(welcome);
      const sealed = group.seal(text('for all'), aad);
      for (const one of [theirs, third])
        expect(one.open(sealed).plaintext).toStrictEqual(text('for all'));
    },
    within(10),
  );
});
