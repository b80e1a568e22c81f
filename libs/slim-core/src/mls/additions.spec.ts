import { describe, expect, it } from '@jest/globals';
import {
  acceptAll,
  createCommit,
  createGroup,
  decodeMlsMessage,
  emptyPskIndex,
  encodeMlsMessage,
  joinGroup,
  processPublicMessage,
  type ClientState,
  type Proposal,
  type PublicMessage,
  type Welcome,
} from 'ts-mls';
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import { toHex } from '../testing/hex.js';
import { ManualClock } from '../testing/manual-clock.js';
import { mlsMember } from '../testing/mls-members.js';
import { applyAdditions, commitAdditions } from './additions.js';
import { clientConfig, makeKeyPackage, type MlsContext } from './key-package.js';
import { MemberIdentities } from './member-identities.js';
import { fromLibrary, type MemberState } from './member-state.js';
import { joinWith, type OwnKeyPackage } from './welcome.js';

const failure = expect.objectContaining({ code: 'mls-failure' });

/** Somebody who can be invited. */
interface Person {
  readonly context: MlsContext;
  readonly own: OwnKeyPackage;
}

/** The same member, as our code and as the library sees it. */
interface Twin extends Person {
  ours: MemberState;
  library: ClientState;
}

async function person(name: string): Promise<Person> {
  const { context, provider } = await mlsMember(name, nodeCrypto, new ManualClock(Date.now()));
  return { context, own: await makeKeyPackage(context, provider.token()) };
}

const configOf = ({ context }: Person) =>
  clientConfig(context, new MemberIdentities(context.verifier));

/** Somebody alone in a new group. */
async function founder(name: string): Promise<Twin> {
  const one = await person(name);
  const { publicPackage, privatePackage } = one.own;
  const { suite } = one.context;
  const config = configOf(one);
  const id = nodeCrypto.random(32);
  const library = await createGroup(id, publicPackage, privatePackage, [], suite, config);
  return { ...one, library, ours: fromLibrary(library) };
}

/** Joins both ways. */
async function join(one: Person, bytes: Uint8Array): Promise<Twin> {
  const { publicPackage, privatePackage } = one.own;
  const { suite } = one.context;
  const welcome = decodeWelcome(bytes);
  const library = await joinGroup(
    welcome,
    publicPackage,
    privatePackage,
    emptyPskIndex,
    suite,
    undefined,
    undefined,
    configOf(one),
  );
  const ours = await joinWith(decodeWelcome(bytes), one.own, one.context, configOf(one));
  return { ...one, library, ours };
}

/** Applies a commit both ways; by the library alone what is not an addition. */
async function apply(twin: Twin, commit: Uint8Array): Promise<void> {
  const { suite } = twin.context;
  const after = (state: ClientState) =>
    processPublicMessage(state, decodeCommit(commit), emptyPskIndex, suite, acceptAll);
  const ours = await applyAdditions(twin.context, twin.ours, decodeCommit(commit), commit);
  twin.ours = ours ?? fromLibrary((await after(twin.ours.state)).newState, twin.ours.hashed);
  twin.library = (await after(twin.library)).newState;
}

/** Adds by our code; the library has no state of the one who adds, since its commits are random. */
async function add(by: Twin, added: readonly Person[]) {
  const packages = added.map(({ own }) => own.publicPackage);
  const addition = await commitAdditions(by.context, by.ours, packages);
  by.ours = addition.next;
  return addition;
}

/** Commits by the library. */
async function commit(by: Twin, extraProposals: Proposal[]) {
  const result = await createCommit(
    { state: by.ours.state, cipherSuite: by.context.suite },
    { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals },
  );
  by.ours = fromLibrary(result.newState, by.ours.hashed);
  const { welcome } = result;
  return {
    commit: encodeMlsMessage(result.commit),
    welcome: welcome
      ? encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
      : new Uint8Array(),
  };
}

function decodeWelcome(bytes: Uint8Array): Welcome {
  const message = decodeMlsMessage(bytes, 0)?.[0];
  if (message?.wireformat !== 'mls_welcome') throw new Error('not a welcome');
  return message.welcome;
}

const encodeCommit = (publicMessage: PublicMessage): Uint8Array =>
  encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });

/** Applies by our code alone. */
const applyTo = ({ context, ours }: Twin, message: PublicMessage) =>
  applyAdditions(context, ours, message, encodeCommit(message));

function decodeCommit(bytes: Uint8Array): PublicMessage {
  const message = decodeMlsMessage(bytes, 0)?.[0];
  if (message?.wireformat !== 'mls_public_message') throw new Error('not a commit');
  return message.publicMessage;
}

/** What all members of an epoch have in common. */
function shared({ groupContext, keySchedule, confirmationTag, ratchetTree }: ClientState) {
  const secrets = Object.entries(keySchedule).map(([name, secret]) => [name, toHex(secret)]);
  return {
    epoch: groupContext.epoch,
    groupId: toHex(groupContext.groupId),
    treeHash: toHex(groupContext.treeHash),
    transcript: toHex(groupContext.confirmedTranscriptHash),
    confirmation: toHex(confirmationTag),
    tree: toHex(encodeRatchetTree(ratchetTree)),
    secrets,
  };
}

/** Asks for the application secrets of all leaves, which can be done once. */
function applicationSecrets({ state, secrets }: MemberState): string[] {
  const leaves = (state.ratchetTree.length + 1) / 2;
  return Array.from({ length: leaves }, (_, leaf) => toHex(secrets.of(leaf) ?? new Uint8Array()));
}

/** Both sides of each twin, and all of them, are in the same epoch. */
function expectAgreement(moderator: Twin, others: readonly Twin[]): void {
  const expected = shared(moderator.ours.state);
  const secrets = applicationSecrets(moderator.ours);
  for (const { ours, library } of others) {
    expect(shared(ours.state)).toStrictEqual(expected);
    expect(shared(library)).toStrictEqual(expected);
    expect(ours.state.privatePath).toStrictEqual(library.privatePath);
    expect(applicationSecrets(ours)).toStrictEqual(secrets);
    expect(applicationSecrets(fromLibrary(library))).toStrictEqual(secrets);
  }
}

const removeProposal = (removed: number): Proposal => ({
  proposalType: 'remove',
  remove: { removed },
});

describe('a commit that adds members', () => {
  it('is understood by the library, one new member after the other', async () => {
    const alice = await founder('alice');
    const joined: Twin[] = [];
    for (const name of ['bob', 'carol', 'dave', 'erin', 'frank']) {
      const added = await person(name);
      const addition = await add(alice, [added]);
      for (const twin of joined) await apply(twin, addition.commit);
      joined.push(await join(added, addition.welcome));
    }
    expectAgreement(alice, joined);
    expect(alice.ours.state.groupContext.epoch).toBe(5n);
  });

  it('is understood by the library with many new members', async () => {
    const alice = await founder('alice');
    const bob = await person('bob');
    const first = await join(bob, (await add(alice, [bob])).welcome);
    const many = await Promise.all(['carol', 'dave', 'erin', 'frank', 'grace'].map(person));
    const addition = await add(alice, many);
    await apply(first, addition.commit);
    const joined = await Promise.all(many.map((one) => join(one, addition.welcome)));
    expectAgreement(alice, [first, ...joined]);
    expect(alice.ours.state.groupContext.epoch).toBe(2n);
  });

  it('is understood that the library made', async () => {
    const alice = await founder('alice');
    const [bob, carol] = [await person('bob'), await person('carol')];
    const first = await join(bob, (await add(alice, [bob])).welcome);
    const { publicPackage: keyPackage } = carol.own;
    const made = await commit(alice, [{ proposalType: 'add', add: { keyPackage } }]);
    await apply(first, made.commit);
    expectAgreement(alice, [first, await join(carol, made.welcome)]);
    expect(alice.ours.state.groupContext.epoch).toBe(2n);
  });

  it('follows one that removes, where parents have keys and leaves are not merged', async () => {
    const alice = await founder('alice');
    const people = await Promise.all(['bob', 'carol', 'dave'].map(person));
    const { welcome } = await add(alice, people);
    const [first, second, third] = await Promise.all(people.map((one) => join(one, welcome)));
    if (!first || !second || !third) throw new Error('nobody joined');
    const removal = await commit(alice, [removeProposal(2)]);
    for (const twin of [first, third]) await apply(twin, removal.commit);
    expectAgreement(alice, [first, third]);

    const erin = await person('erin');
    const addition = await add(alice, [erin]);
    for (const twin of [first, third]) await apply(twin, addition.commit);
    const joined = await join(erin, addition.welcome);
    expectAgreement(alice, [first, third, joined]);
    const refresh = await commit(alice, []);
    for (const twin of [first, third, joined]) await apply(twin, refresh.commit);
    expectAgreement(alice, [first, third, joined]);
    expect(alice.ours.state.groupContext.epoch).toBe(4n);
  });
});

describe('applyAdditions', () => {
  async function setup() {
    const alice = await founder('alice');
    const [bob, carol] = [await person('bob'), await person('carol')];
    const first = await join(bob, (await add(alice, [bob])).welcome);
    const before = alice.ours;
    const addition = await add(alice, [carol]);
    return { alice, before, first, message: decodeCommit(addition.commit) };
  }

  it('leaves every other commit to the library', async () => {
    const { alice, first, message } = await setup();
    const later = await commit(alice, []);
    const removal = await commit(alice, [removeProposal(2)]);
    await apply(first, encodeCommit(message));
    for (const bytes of [later.commit, removal.commit]) {
      expect(await applyTo(first, decodeCommit(bytes))).toBeUndefined();
    }
    // Of an epoch that is over.
    expect(await applyTo(first, message)).toBeUndefined();
  });

  it('refuses a commit with another confirmation, however well it is made', async () => {
    const { before, first, message } = await setup();
    const { content } = message;
    if (message.auth.contentType !== 'commit') throw new Error('no commit');
    const auth = { ...message.auth, confirmationTag: new Uint8Array(32) };
    const { keySchedule, groupContext } = before.state;
    const forged = await protectPublicMessage(
      keySchedule.membershipKey,
      groupContext,
      { wireformat: 'mls_public_message', content, auth },
      first.context.suite,
    );
    const applied = applyTo(first, forged);
    await expect(applied).rejects.toThrow(failure);
  });

  it.each(['membership tag', 'signature'])('refuses a commit with a wrong %s', async (what) => {
    const { before, first, message } = await setup();
    const { content, auth } = message;
    const { keySchedule, groupContext } = before.state;
    const signature = auth.signature.map((byte, at) => (at === 20 ? byte ^ 1 : byte));
    const wireformat = 'mls_public_message';
    const changed =
      what === 'signature'
        ? await protectPublicMessage(
            keySchedule.membershipKey,
            groupContext,
            { wireformat, content, auth: { ...auth, signature } },
            first.context.suite,
          )
        : { ...message, membershipTag: new Uint8Array(32) };
    await expect(applyTo(first, changed as PublicMessage)).rejects.toThrow(/signature|membership/i);
    await expect(applyTo(first, message)).resolves.toBeDefined();
  });
});
