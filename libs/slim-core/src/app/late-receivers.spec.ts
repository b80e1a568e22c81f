import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Channel } from '../session/channel.js';
import type { SlimError } from '../errors/slim-error.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { joined } from '../testing/joining.js';
import { LinkTap, type Tapped } from '../testing/link-tap.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { messageType } from '../wire/session-header.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
/** As many as a session has under way by default. */
const burst = 256;
const intervalMs = 1_000;

let clock: ManualClock;
let tap: LinkTap;
let fabric: Fabric;
beforeEach(() => {
  // The MLS library looks at the clock of the machine.
  clock = new ManualClock(Date.now());
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
});
afterEach(async () => {
  tap.loses = () => false;
  tap.release();
  const closing = fabric.close();
  for (let tick = 0; tick < 20; tick += 1) await pass(intervalMs);
  await closing;
});

/** Lets time go by, in steps that leave everybody their turn. */
async function pass(ms: number): Promise<void> {
  const stepMs = 100;
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await settle();
  }
}

/** Until no frame and no promise is under way any more. */
async function settle(): Promise<void> {
  for (let before = -1; before !== tap.seen.length;) {
    before = tap.seen.length;
    await turns();
  }
}

const connect = (name: string): Promise<SlimApp> =>
  fabric.connect(name, { clock, sessions: { intervalMs, heartbeatMs: 1e9, closeMs: 500 } });

/** Collects what arrives, as text. */
function collect(channel: Channel | Session): string[] {
  const texts: string[] = [];
  void (async () => {
    for await (const { payload } of channel) texts.push(new TextDecoder().decode(payload));
  })();
  return texts;
}

/** A channel and what its members received; their links are 1, 2, … */
async function room(size: number) {
  const moderator = await connect('org/ns/moderator');
  const channel = await moderator.createChannel('org/ns/room');
  const received: string[][] = [];
  for (let index = 0; index < size; index += 1) {
    const app = await connect(`org/ns/member-${index}`);
    const [member] = await Promise.all([joined(app), channel.invite(app.name.service)]);
    received.push(collect(member));
  }
  await warmUp(channel);
  tap.seen.length = 0;
  for (const texts of received) texts.length = 0;
  return { channel, received };
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, at) => `m${at}`);

function publish(session: Channel | Session, messages: readonly string[]) {
  const outcomes: string[] = [];
  for (const message of messages) {
    session.publish(new TextEncoder().encode(message)).then(
      () => outcomes.push(`${message} arrived`),
      ({ code }: SlimError) => outcomes.push(`${message}: ${code}`),
    );
  }
  return { outcomes };
}

/** The first message to a member goes alone, and more are under way at once when others arrived soon. */
async function warmUp(session: Channel | Session): Promise<void> {
  const { outcomes } = publish(session, numbered(burst));
  await settle();
  expect(outcomes).toHaveLength(burst);
}

const allArrived = (messages: readonly string[]): string[] =>
  messages.map((message) => `${message} arrived`).toSorted();

/** Messages that reach these links, which are not to. */
const dataFor =
  (...links: number[]) =>
  ({ linkIndex, isSent, type }: Tapped): boolean =>
    !isSent && links.includes(linkIndex) && type === messageType.msg;

const sealed = (): number =>
  tap.seen.filter(
    ({ linkIndex, isSent, type }) =>
      linkIndex === 0 && isSent && (type === messageType.msg || type === messageType.rtxReply),
  ).length;

describe('a channel whose members are slow or out of reach', () => {
  it('stays readable for a member that is on time while all others miss a burst', async () => {
    const { channel, received } = await room(4);
    tap.loses = dataFor(2, 3, 4);
    const messages = numbered(burst);
    const { outcomes } = publish(channel, messages);
    await pass(2.5 * intervalMs);
    tap.loses = () => false;
    await pass(8 * intervalMs);
    expect(outcomes.toSorted()).toStrictEqual(allArrived(messages));
    const { outcomes: last } = publish(channel, ['last']);
    await settle();
    expect(last).toStrictEqual(['last arrived']);
    for (const texts of received) expect(texts).toStrictEqual([...messages, 'last']);
  });

  it('stays readable for the others when a member never answers', async () => {
    const { channel, received } = await room(3);
    tap.loses = dataFor(3);
    const messages = numbered(burst);
    const { outcomes } = publish(channel, messages);
    await pass(12 * intervalMs);
    expect(new Set(outcomes)).toStrictEqual(
      new Set(messages.map((text) => `${text}: not-delivered`)),
    );
    // The official peer opens nothing that is further ahead.
    expect(sealed()).toBeLessThan(1_024);
    const { outcomes: last } = publish(channel, ['last']);
    await settle();
    expect(last).toStrictEqual(['last arrived']);
    for (const texts of received.slice(0, 2)) expect(texts).toStrictEqual([...messages, 'last']);
  });

  it('does not load members that are late with repetitions', async () => {
    const { channel, received } = await room(4);
    tap.holds = dataFor(1, 2, 3, 4);
    const messages = numbered(burst);
    const { outcomes } = publish(channel, messages);
    await pass(1.5 * intervalMs);
    tap.release();
    await pass(3 * intervalMs);
    expect(outcomes.toSorted()).toStrictEqual(allArrived(messages));
    expect(sealed()).toBeLessThan(1.5 * burst);
    for (const texts of received) expect(texts).toStrictEqual(messages);
  });

  it('gets everything that none of them received, by asking for each once', async () => {
    const { channel, received } = await room(6);
    const messages = numbered(burst - 1);
    tap.loses = ({ linkIndex, isSent }) => linkIndex === 0 && isSent;
    const { outcomes } = publish(channel, messages);
    await settle();
    tap.loses = () => false;
    tap.holds = ({ type, isSent }) => isSent && type === messageType.rtxReply;
    const { outcomes: last } = publish(channel, ['last']);
    await pass(1.5 * intervalMs);
    expect(last).toStrictEqual(['last arrived']);
    tap.release();
    await pass(intervalMs);
    expect(outcomes.toSorted()).toStrictEqual(allArrived(messages));
    for (const texts of received) expect(texts).toStrictEqual([...messages, 'last']);
    // The first quarter is asked for again after an interval of silence.
    expect(sealed()).toBeLessThan((6 + 1 + 6 / 4) * burst);
  });

  it('hear of it when all acknowledgements of a member get lost', async () => {
    const { channel, received } = await room(2);
    tap.loses = ({ type, isSent, linkIndex }) =>
      isSent && linkIndex === 1 && type === messageType.msgAck;
    const messages = numbered(burst);
    const { outcomes } = publish(channel, messages);
    await pass(1.5 * intervalMs);
    tap.loses = () => false;
    await pass(6 * intervalMs);
    expect(outcomes.toSorted()).toStrictEqual(allArrived(messages));
    for (const texts of received) expect(texts).toStrictEqual(messages);
  });
});

describe('a session whose peer is out of reach for a while', () => {
  it('goes on where it was', async () => {
    const alice = await connect('org/ns/alice');
    const bob = await connect('org/ns/bob');
    const session = await alice.openSession('org/ns/bob');
    const { value: accepted } = await bob.sessions()[Symbol.asyncIterator]().next();
    if (!accepted) throw new Error('nobody called');
    const received = collect(accepted);
    const messages = numbered(burst);
    await warmUp(session);
    received.length = 0;
    tap.loses = dataFor(1);
    const { outcomes } = publish(session, messages);
    await pass(6.5 * intervalMs);
    tap.loses = () => false;
    await pass(8 * intervalMs);
    expect(received).toStrictEqual(messages);
    expect(outcomes.toSorted()).toStrictEqual(allArrived(messages));
  });
});
