import { afterEach, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { LinkTap } from '../testing/link-tap.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { messageType } from '../wire/session-header.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const tap = new LinkTap();
const fabric = new Fabric(nodeCrypto, secret, tap.wrap);
afterEach(() => fabric.close());

async function incoming(app: SlimApp): Promise<Session> {
  for await (const session of app.sessions()) if (session.kind === 'session') return session;
  throw new Error('the application ended');
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Until no frame and no promise is under way any more. */
async function settle(): Promise<void> {
  for (let before = -1; before !== tap.seen.length;) {
    before = tap.seen.length;
    await turns();
  }
}

it('a listener that throws keeps neither others from hearing of a loss nor a session from its end', async () => {
  const clock = new ManualClock();
  const near = await fabric.connect('org/ns/near', { clock });
  const far = await fabric.connect('org/ns/far', { clock });
  const [session, reader] = await Promise.all([
    near.openSession('org/ns/far', { mls: false }),
    incoming(far),
  ]);
  const heard: (number | string)[] = [];
  far.on('dropped', ({ message }) => heard.push(message));
  reader.onLost(() => {
    throw new Error('of the application');
  });
  reader.onLost((id) => heard.push(id));
  await session.publish(bytes('one'));
  tap.loses = ({ message, type }) =>
    type === messageType.rtxRequest ||
    (type === messageType.msg && message.publish?.session?.messageId === 2);
  const last = ['two', 'three'].map((text) => session.publish(bytes(text)));
  await settle();
  await reader.close();
  expect(heard).toStrictEqual(['a listener of lost messages: of the application', 2]);
  expect(await reader.ended).toBeUndefined();
  await Promise.allSettled(last);
});
