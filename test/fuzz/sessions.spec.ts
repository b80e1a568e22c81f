import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  loadNameHash,
  SlimError,
  type Channel,
  type Session,
  type SlimApp,
  type SlimAppOptions,
} from '@nestjs-slim/core';
import { nodeCrypto } from '@nestjs-slim/platform-node';
import fc from 'fast-check';
import { joined } from '../../libs/slim-core/src/testing/joining.js';
import { Fabric } from '../../libs/slim-core/src/testing/fabric.js';
import { LinkTap } from '../../libs/slim-core/src/testing/link-tap.js';
import { NodeClient } from '../../libs/slim-core/src/testing/node-client.js';
import type { Frame } from '../../libs/slim-core/src/wire/frame.js';
import { WireName } from '../../libs/slim-core/src/wire/wire-name.js';
import { firstSession, texts } from '../support/sessions.js';
import { runs, within } from './fuzz.js';
import { Liar } from './hostile-member.js';
import { commandAbout, number32, proofs, typeOf } from './lies.js';
import { expectNothingUnhandled } from './unhandled.js';

const secret = 'a secret that only the fuzzed sessions share';
const foreignSecret = 'a secret that none of the fuzzed sessions knows';
const options: Partial<SlimAppOptions> = {
  sessions: { intervalMs: 40, maxRetries: 8, heartbeatMs: 5_000, closeMs: 200, reinviteMs: 0 },
};

let tap: LinkTap;
let fabric: Fabric;
let victim: SlimApp;
let friend: SlimApp;
let wire: NodeClient;
let insider: Liar;
const dropped: SlimError[] = [];

beforeAll(async () => {
  await loadNameHash();
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
  victim = await fabric.connect('org/ns/victim', options);
  friend = await fabric.connect('org/ns/friend', options);
  victim.on('dropped', (reason) => dropped.push(reason));
  friend.on('dropped', (reason) => dropped.push(reason));
  wire = await NodeClient.connect(fabric.node, nodeCrypto);
  insider = Liar.create('org/ns/insider', secret, foreignSecret);
});

afterAll(() => fabric.close());

/** The last session that was spoken of, and the names in it. */
function overheard(): { sessionId: number; names: WireName[]; replay: Frame[] } {
  const frames = tap.seen.filter(({ message }) => message.publish);
  const sessionId = frames.findLast(({ message }) => message.publish?.session?.sessionType)?.message
    .publish?.session?.sessionId;
  const inSession = frames.filter(
    ({ message }) => message.publish?.session?.sessionId === sessionId,
  );
  const names = new Map<string, WireName>();
  for (const { message } of inSession) {
    const { source, destination } = message.publish?.header ?? {};
    for (const name of [source, destination]) if (name) names.set(name.key, name);
  }
  const replay = inSession.map(({ message }) => message).slice(-60);
  return { sessionId: sessionId ?? 0, names: [...names.values()], replay };
}

const number = fc.nat({ max: 1_000_000 });
const blobs = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constant(new Uint8Array()));

/** What somebody sends who has a good identity and keeps to no rule. Names and messages are picked by number. */
const lies = fc.array(
  fc.record({
    isReplay: fc.boolean(),
    pick: number,
    from: number,
    to: number,
    about: number,
    blob: blobs,
    type: fc.option(fc.nat({ max: 22 }), { nil: undefined }),
    sessionType: fc.constantFrom(0, 1, 2, 2, 1, 9),
    messageId: number32,
    isOfSession: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
    isData: fc.boolean(),
    mark: fc.constantFrom<string[][]>([], [['PUBLISH_TO', 'TRUE']], [['LEAVING_SESSION', 'TRUE']]),
    proof: proofs,
    isError: fc.boolean(),
  }),
  { minLength: 10, maxLength: 60, size: 'max' },
);

type Told = typeof lies extends fc.Arbitrary<(infer T)[]> ? T : never;

async function tell(told: Told, command: ReturnType<typeof commandSource>): Promise<void> {
  const { sessionId, names, replay } = overheard();
  const own = [victim.name, friend.name].map((name) => WireName.of(name));
  const known = [...names, ...own];
  const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length];
  const recorded = pick(replay, told.pick);
  if (told.isReplay && recorded) return wire.send(withoutTag(recorded));
  const content = told.isData ? undefined : command(told.about);
  const messages = replay.flatMap(({ publish }) => publish?.session?.messageId ?? []);
  await wire.send(
    insider.tell({
      source: told.from % 3 === 0 ? insider.name : (pick(known, told.from) ?? insider.name),
      destination: pick(known, told.to) ?? insider.name,
      session: {
        sessionType: told.sessionType,
        messageType: told.type ?? (content ? typeOf(content) : (told.about % 4) + 1),
        sessionId: told.isOfSession ? sessionId : told.messageId,
        messageId: told.about % 2 ? told.messageId : (pick(messages, told.pick) ?? told.messageId),
      },
      command: content,
      blob: told.blob,
      metadata: new Map(told.mark.map(([key = '', value = '']) => [key, value])),
      proof: told.proof,
      isError: told.isError,
    }),
  );
}

/** Of another link than the one it was made for; the node wants the tag of ours. */
function withoutTag(message: Frame): Frame {
  const { publish } = message;
  const header = publish?.header && { ...publish.header, ttl: 8, headerMac: undefined };
  return { ...message, publish: publish && { ...publish, header } };
}

/** Payloads of control messages by number, about the names that are known. */
function commandSource(list: readonly number[]) {
  const { names, replay } = overheard();
  const recorded = replay.flatMap(({ publish }) => {
    const { command, application } = publish?.content ?? {};
    const { joinReply, groupWelcome, groupUpdate } = command ?? {};
    const parts = [joinReply?.keyPackage, groupWelcome?.mls?.content, groupUpdate?.mls?.content];
    return [...parts, application?.blob].filter((one) => one !== undefined);
  });
  const anyBlob = recorded.length > 0 ? fc.oneof(blobs, fc.constantFrom(...recorded)) : blobs;
  const arbitrary = commandAbout(fc.constantFrom(...names), anyBlob);
  const commands = fc.sample(arbitrary, { seed: list[0] ?? 0, numRuns: 60 });
  return (at: number) => commands[at % commands.length];
}

async function tellAll(list: readonly Told[]): Promise<void> {
  const source = commandSource(list.map(({ about }) => about));
  for (const told of list) await tell(told, source);
}

/** Both still talk with each other in a new session, and all that was refused was refused with a reason. */
async function expectAlive(): Promise<void> {
  const [session, other] = await Promise.all([
    victim.openSession('org/ns/friend', { discoveryMs: 2_000 }),
    firstLive(friend),
  ]);
  await session.publish(Buffer.from('still here'));
  expect((await texts(other, 1))[0]?.text).toBe('still here');
  await session.close();
  for (const reason of dropped) expect(reason).toBeInstanceOf(SlimError);
  dropped.length = 0;
  tap.seen.splice(0, tap.seen.length - 100);
}

/** What liars opened is turned away, as an application does that looks at who asks. */
async function firstLive(app: SlimApp): Promise<Session> {
  for (;;) {
    const session = await firstSession(app);
    if (isHonest(session)) return session;
    await session.close();
  }
}

function isHonest(session: Session): boolean {
  return [victim.name, friend.name].some((name) => session.peerIdentity.principal === name.service);
}

async function pair(mls: boolean): Promise<readonly [Session, Session]> {
  return Promise.all([
    victim.openSession('org/ns/friend', { mls, discoveryMs: 2_000 }),
    firstLive(friend),
  ]);
}

async function room(
  moderator: SlimApp,
  member: SlimApp,
  mls: boolean,
): Promise<[Channel, Channel]> {
  const channel = await moderator.createChannel('org/ns/room', { mls, discoveryMs: 2_000 });
  const [theirs] = await Promise.all([joined(member), channel.invite(member.name)]);
  return [channel, theirs];
}

describe('whatever is sent by a valid member of the network who is not in the session', () => {
  expectNothingUnhandled();

  it.each([true, false])(
    'a session of two goes on; with MLS: %p',
    async (mls) => {
      await fc.assert(
        fc.asyncProperty(lies, async (list) => {
          const [near, far] = await pair(mls);
          await tellAll(list);
          await Promise.all([near, far].map((one) => one.publish(Buffer.from('still here'))));
          for (const one of [near, far]) {
            expect((await texts(one, 1)).map(({ text }) => text)).toStrictEqual(['still here']);
          }
          await near.close();
          await far.close();
          await expectAlive();
        }),
        { ...runs(12), timeout: 10_000 },
      );
    },
    within(30),
  );

  it.each([true, false])(
    'a channel goes on; with MLS: %p',
    async (mls) => {
      await fc.assert(
        fc.asyncProperty(lies, fc.boolean(), async (list, isModerator) => {
          const [a, b] = isModerator ? [victim, friend] : [friend, victim];
          const [channel, member] = await room(a, b, mls);
          await tellAll(list);
          await Promise.all([channel, member].map((one) => one.publish(Buffer.from('still here'))));
          for (const one of [channel, member]) {
            expect((await texts(one, 1)).map(({ text }) => text)).toStrictEqual(['still here']);
          }
          await Promise.all([channel.close(), member.close()]);
          await expectAlive();
        }),
        { ...runs(12), timeout: 10_000 },
      );
    },
    within(30),
  );
});
