import { afterEach, describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '../../../slim-platform-node/src/node-crypto.js';
import type { SlimError } from '../errors/slim-error.js';
import type { Session } from '../session/session.js';
import { Fabric } from '../testing/fabric.js';
import { joined } from '../testing/joining.js';
import type { SlimApp } from './slim-app.js';

const secret = 'a secret that only the tests of this file share';
const newFabric = (): Fabric => new Fabric(nodeCrypto, secret);

let fabric = newFabric();
afterEach(async () => {
  await fabric.close();
  fabric = newFabric();
});

/** Somebody who may have two sessions, and somebody with as many as it wants. */
async function setup(options: { readonly accept?: () => Promise<boolean> } = {}) {
  const limited = await fabric.connect('org/ns/limited', {
    ...options,
    sessions: { maxSessions: 2 },
  });
  const other = await fabric.connect('org/ns/other');
  const dropped: SlimError[] = [];
  limited.on('dropped', (reason) => dropped.push(reason));
  const open = (from: SlimApp, to: string): Promise<Session> =>
    from.openSession(to, { mls: false });
  return { limited, other, dropped, open };
}

const tooMany = { code: 'backpressure', message: /has 2 sessions.*maxSessions/ };
const failing = ({ code, message }: typeof tooMany) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe('an application with as many sessions as it may have', () => {
  it('opens no other, until one of them is over', async () => {
    const { limited, other, open } = await setup();
    const [first] = [await open(limited, 'org/ns/other'), await open(limited, 'org/ns/other')];
    await expect(open(limited, 'org/ns/other')).rejects.toThrow(failing(tooMany));
    await expect(limited.createChannel('org/ns/room')).rejects.toThrow(failing(tooMany));
    await first.close();
    await open(limited, 'org/ns/other');
    expect(other.status).toBe('connected');
  });

  it('refuses what others open, tells them, and reports each', async () => {
    const { limited, other, dropped, open } = await setup();
    const [first] = [await open(other, 'org/ns/limited'), await open(other, 'org/ns/limited')];
    await expect(open(other, 'org/ns/limited')).rejects.toThrow(
      expect.objectContaining({ code: 'refused' }),
    );
    const channel = await other.createChannel('org/ns/room');
    await expect(channel.invite('org/ns/limited')).rejects.toThrow(
      expect.objectContaining({ code: 'refused' }),
    );
    expect(dropped).toStrictEqual([failing(tooMany), failing(tooMany)]);
    await first.close();
    const [member] = await Promise.all([joined(limited), channel.invite('org/ns/limited')]);
    expect(member.participants()).toHaveLength(2);
  });

  it('takes no more of those that were decided on at the same time', async () => {
    let decide: () => void = () => undefined;
    const decided = new Promise<void>((resolve) => (decide = resolve));
    let asked = 0;
    const accept = async (): Promise<boolean> => {
      asked += 1;
      if (asked === 3) decide();
      await decided;
      return true;
    };
    const { other, dropped, open } = await setup({ accept });
    const opened = await Promise.allSettled([1, 2, 3].map(() => open(other, 'org/ns/limited')));
    expect(opened.map(({ status }) => status).toSorted()).toStrictEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(dropped).toStrictEqual([failing(tooMany)]);
  });

  it('still finds others and is found', async () => {
    const { limited, other, open } = await setup();
    await Promise.all([open(limited, 'org/ns/other'), open(limited, 'org/ns/other')]);
    expect(await limited.discover('org/ns/other')).toStrictEqual(other.name);
    expect(await other.discover('org/ns/limited')).toStrictEqual(limited.name);
  });
});
