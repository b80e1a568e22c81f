import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { SlimApp } from '../app/slim-app.js';
import { SlimError } from '../errors/slim-error.js';
import { applicationId } from '../names/name-id.js';
import type { Channel } from '../session/channel.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { IdentitySource } from './identity.js';
import { jwt, type JwtOptions } from './jwt.js';

const newFabric = (): Fabric =>
  new Fabric(nodeCrypto, 'a secret that nobody here uses for anything');

let fabric = newFabric();
afterEach(async () => {
  await fabric.close();
  fabric = newFabric();
});

const jwk = (key: KeyObject) => key.export({ format: 'jwk' });
const pairs = {
  alice: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  bob: generateKeyPairSync('ed25519'),
  carol: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
};
type Who = keyof typeof pairs;
const jwks = { keys: Object.values(pairs).map(({ publicKey }) => jwk(publicKey)) };

const optionsOf = (who: Who): JwtOptions => ({
  subject: `${who}-1`,
  issuer: 'https://issuer.example',
  audience: 'room',
  signingKey: { jwk: jwk(pairs[who].privateKey) },
  verificationKey: { jwks },
});

const connect = (who: Who, changed: Partial<JwtOptions> = {}): Promise<SlimApp> =>
  fabric.connect(`org/ns/${who}`, { identity: jwt({ ...optionsOf(who), ...changed }) });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function nextText(from: Session | Channel): Promise<string> {
  return new TextDecoder().decode((await from.next({ timeoutMs: 3_000 })).payload);
}

/** The next session or channel of an application. */
async function joined(app: SlimApp): Promise<Session | Channel> {
  for await (const session of app.sessions()) return session;
  throw new Error('the application ended');
}

describe('applications with JWT identity', () => {
  it('have an id that is the hash of their subject, the same after a restart', async () => {
    const first = await connect('alice');
    expect(first.name.id).toBe(applicationId('alice-1'));
    await first.close();
    expect((await connect('alice')).name.id).toBe(first.name.id);
  });

  it.each([
    { inviter: 'alice', invited: 'bob', mls: true },
    { inviter: 'bob', invited: 'alice', mls: true },
    { inviter: 'carol', invited: 'bob', mls: false },
  ] as const)('talk to each other: %o', async ({ inviter, invited, mls }) => {
    const [caller, callee] = [await connect(inviter), await connect(invited)];
    const [session, accepted] = await Promise.all([
      caller.openSession(`org/ns/${invited}`, { mls }),
      joined(callee),
    ]);
    for (let count = 0; count < 5; count += 1) await session.publish(bytes(`ping ${count}`));
    for (let count = 0; count < 5; count += 1) {
      const message = await accepted.next({ timeoutMs: 3_000 });
      expect(message.identity).toMatchObject({
        subject: `${inviter}-1`,
        claims: { iss: 'https://issuer.example', aud: ['room'] },
      });
      await message.reply(message.payload);
      expect(await nextText(session)).toBe(`ping ${count}`);
    }
  });

  it.each(['alice', 'bob'] as const)('meet in a channel that %s moderates', async (moderator) => {
    const channel = await (await connect(moderator)).createChannel('org/ns/room');
    const everybody: (Session | Channel)[] = [channel];
    for (const who of (['alice', 'bob', 'carol'] as const).filter((name) => name !== moderator)) {
      const app = await connect(who);
      const [member] = await Promise.all([joined(app), channel.invite(`org/ns/${who}`)]);
      everybody.push(member);
    }
    for (const [index, from] of everybody.entries()) {
      await from.publish(bytes(`from ${index}`));
      for (const to of everybody.filter((other) => other !== from)) {
        expect(await nextText(to)).toBe(`from ${index}`);
      }
    }
  });

  it('admit new members after the tokens that older members joined with expired', async () => {
    const clock = new ManualClock(Date.now());
    const join = (who: Who): Promise<SlimApp> => {
      const identity: IdentitySource = (context) => jwt(optionsOf(who))({ ...context, clock });
      return fabric.connect(`org/ns/${who}`, { identity });
    };
    const channel = await (await join('alice')).createChannel('org/ns/room');
    const bob = await join('bob');
    const [older] = await Promise.all([joined(bob), channel.invite('org/ns/bob')]);

    for (const byMs of [7_200_000, 60_000]) {
      clock.advance(byMs);
      // Each of the two arms its timer again when it has signed.
      while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    }

    const carol = await join('carol');
    if (older.kind !== 'channel') throw new Error('expected a channel');
    // What is said before a member knows of another is not for that one.
    const known = new Promise((resolve) => older.on('joined', resolve));
    const [newer] = await Promise.all([joined(carol), channel.invite('org/ns/carol')]);
    await known;
    await older.publish(bytes('still here'));
    expect([await nextText(channel), await nextText(newer)]).toStrictEqual([
      'still here',
      'still here',
    ]);
  });

  it.each([
    ['issuer', { issuer: 'https://other.example' }, 'another issuer'],
    ['audience', { audience: 'another room' }, 'another audience'],
    [
      'key',
      {
        signingKey: { secret: 'a secret of somebody from elsewhere' },
        verificationKey: { secret: 'a secret of somebody from elsewhere' },
      },
      'is not signed with',
    ],
  ] as const)('refuse one with another %s', async (_what, changed, why) => {
    const bob = await connect('bob');
    const stranger = await connect('alice', changed);
    const refused = new Promise<SlimError>((resolve) => bob.on('dropped', resolve));
    const opening = stranger.openSession('org/ns/bob', { discoveryMs: 60 });
    await expect(opening).rejects.toMatchObject({ code: 'no-route' });
    expect(await refused).toMatchObject({
      code: 'identity-rejected',
      message: expect.stringContaining(why),
    });
    expect(await (await connect('carol')).openSession('org/ns/bob')).toMatchObject({ mls: true });
  });

  it('refuse one whose token expired', async () => {
    const bob = await connect('bob');
    const late: IdentitySource = (context) =>
      jwt(optionsOf('alice'))({ ...context, clock: new ManualClock(Date.now() - 3_700_000) });
    const stranger = await fabric.connect('org/ns/alice', { identity: late });
    const refused = new Promise<SlimError>((resolve) => bob.on('dropped', resolve));
    const opening = stranger.openSession('org/ns/bob', { discoveryMs: 60 });
    await expect(opening).rejects.toMatchObject({ code: 'no-route' });
    expect(await refused).toMatchObject({
      code: 'identity-rejected',
      message: 'the identity token expired 100 s ago',
    });
  });

  it('stop signing when they are closed', async () => {
    const clock = new ManualClock(Date.now());
    const identity: IdentitySource = (context) => jwt(optionsOf('alice'))({ ...context, clock });
    const alice = await fabric.connect('org/ns/alice', { identity });
    expect(clock.pending).toBe(1);
    await alice.close();
    expect(clock.pending).toBe(0);
  });

  it('stop signing when they cannot connect', async () => {
    const clock = new ManualClock(Date.now());
    const identity: IdentitySource = (context) => jwt(optionsOf('alice'))({ ...context, clock });
    const dial = () => Promise.reject(new SlimError('link-failed', 'nobody there'));
    const diallers = [{ target: 'nowhere', dial }];
    const connecting = fabric.connect('org/ns/alice', { identity, diallers });
    await expect(connecting).rejects.toMatchObject({ code: 'link-failed' });
    expect(clock.pending).toBe(0);
  });

  it('fail to connect with a key that cannot be imported', async () => {
    const verificationKey = { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } };
    await expect(connect('alice', { verificationKey })).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'expected a well-formed key for ES256',
    });
  });
});
