import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { LinkTap } from '../testing/link-tap.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { messageType } from '../wire/session-header.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const intervalMs = 1_000;

let clock: ManualClock;
let tap: LinkTap;
let fabric: Fabric;
beforeEach(() => {
  clock = new ManualClock(Date.now());
  tap = new LinkTap();
  fabric = new Fabric(nodeCrypto, secret, tap.wrap);
});
afterEach(() => fabric.close());

const connect = (name: string): Promise<SlimApp> =>
  fabric.connect(name, { clock, sessions: { intervalMs } });

async function accepted(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) if (session.kind === 'session') return session;
  throw new Error('nobody opened a session');
}

async function collect(session: Session, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { payload } = await session.next();
    texts.push(new TextDecoder().decode(payload));
  }
  return texts;
}

describe('the first message of a session', () => {
  it.each([
    ['who opened it', 0],
    ['who was asked', 1],
  ])('arrives before the second one when it was lost, from the side %s', async (_, sender) => {
    const [opener, acceptor] = [await connect('org/ns/opener'), await connect('org/ns/acceptor')];
    const ends = await Promise.all([
      opener.openSession('org/ns/acceptor', { mls: false }),
      accepted(acceptor),
    ]);
    let isFirst = true;
    tap.loses = ({ isSent, type }) => {
      const isLost = isFirst && isSent && type === messageType.msg;
      if (isLost) isFirst = false;
      return isLost;
    };
    const received = collect(ends[1 - sender] as Session, 2);
    const published = ['first', 'second'].map((text) =>
      (ends[sender] as Session).publish(new TextEncoder().encode(text)),
    );
    await turns();
    clock.advance(intervalMs);
    await Promise.all(published);
    expect(await received).toStrictEqual(['first', 'second']);
  });
});
