import { describe, expect, it } from '@jest/globals';
import { SlimError } from '../errors/slim-error.js';
import { ManualClock } from '../testing/manual-clock.js';
import { turns } from '../testing/turns.js';
import { maxSpan } from './receive-window.js';
import { SendWindow } from './send-window.js';
import { defaultSessionPolicy, type SessionPolicy } from './session-policy.js';

const closed = new SlimError('session-closed', 'the session is closed');

function setup(changes: Partial<SessionPolicy> = {}) {
  const clock = new ManualClock();
  const policy = { ...defaultSessionPolicy, intervalMs: 1_000, maxRetries: 2, ...changes };
  /** What the window asked for, and how each message ended. */
  const log: string[] = [];
  const window = new SendWindow<string>(clock, policy, {
    transmit: (id, message) => {
      if (message === 'too large') throw new SlimError('message-too-large', 'of 5 MB');
      log.push(`${id} ${message}`);
    },
    repeat: (id, message, to) => {
      if (message === 'too large to repeat') throw new SlimError('message-too-large', 'of 5 MB');
      log.push(`${id} ${message} again to ${to.join(' and ')}`);
    },
    unresponsive: (receiver) => log.push(`${receiver} does not answer`),
  });
  const send = (message: string, receivers: readonly string[] = ['bob'], id?: number): void => {
    window.send(message, id === undefined ? { receivers } : { receivers, id }).then(
      () => log.push(`${message} arrived`),
      (reason: SlimError) => log.push(`${message}: ${reason.code}`),
    );
  };
  /** The log since the last call, once everything that is due has happened. */
  const events = async (): Promise<string[]> => {
    await turns();
    return log.splice(0);
  };
  /** Nothing happens any more, and no timer is left behind the one that was set. */
  const expectRest = async (): Promise<void> => {
    clock.advance(policy.intervalMs);
    expect(await events()).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  };
  return { clock, window, send, events, expectRest };
}

describe('SendWindow', () => {
  it('numbers messages from 1 and is done with each when it is acknowledged', async () => {
    const { window, send, events, expectRest } = setup();
    send('a');
    send('b');
    expect(await events()).toStrictEqual(['1 a', '2 b']);
    window.acknowledge(2, 'bob');
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual(['b arrived', 'a arrived']);
    await expectRest();
  });

  it('waits for every receiver, and repeats to those that are missing', async () => {
    const { clock, window, send, events, expectRest } = setup();
    send('a', ['bob', 'carol']);
    window.acknowledge(1, 'bob');
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 a', '1 a again to carol']);
    window.acknowledge(1, 'carol');
    expect(await events()).toStrictEqual(['a arrived']);
    await expectRest();
  });

  it('is done at once when nobody is there to acknowledge', async () => {
    const { clock, window, send, events } = setup();
    send('a', []);
    expect(await events()).toStrictEqual(['1 a', 'a arrived']);
    expect(window.kept(1)).toBe('a');
    expect(clock.pending).toBe(0);
  });

  it('repeats until the retries are used up, and then says so', async () => {
    const { clock, send, events } = setup({ maxRetries: 2 });
    send('a');
    clock.advance(999);
    expect(await events()).toStrictEqual(['1 a']);
    clock.advance(1);
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 a again to bob', '1 a again to bob']);
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['bob does not answer', 'a: not-delivered']);
    clock.advance(100_000);
    expect(await events()).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('sends once and fails after one interval when there are no retries', async () => {
    const { clock, send, events } = setup({ maxRetries: 0 });
    send('a');
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 a', 'bob does not answer', 'a: not-delivered']);
  });

  it('says how often it tried', async () => {
    const { clock, window } = setup({ maxRetries: 2 });
    const sent = window.send('a', { receivers: ['bob'] });
    clock.advance(3_000);
    await expect(sent).rejects.toMatchObject({
      code: 'not-delivered',
      message: 'message 1 was not acknowledged after 3 tries',
    });
  });

  it('names only the receivers that did not answer', async () => {
    const { clock, window, send, events } = setup({ maxRetries: 0 });
    send('a', ['bob', 'carol', 'dave']);
    window.acknowledge(1, 'carol');
    clock.advance(1_000);
    expect(await events()).toStrictEqual([
      '1 a',
      'bob does not answer',
      'dave does not answer',
      'a: not-delivered',
    ]);
  });

  it('keeps the deadline of each message apart', async () => {
    const { clock, send, events } = setup();
    send('a');
    clock.advance(400);
    send('b');
    clock.advance(600);
    expect(await events()).toStrictEqual(['1 a', '2 b', '1 a again to bob']);
    clock.advance(400);
    expect(await events()).toStrictEqual(['2 b again to bob']);
  });

  it('repeats to all that are missing at once', async () => {
    const { clock, window, send, events } = setup();
    send('a', ['bob', 'carol', 'dave']);
    window.acknowledge(1, 'carol');
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 a', '1 a again to bob and dave']);
  });

  it('waits for a receiver that acknowledges one after the other, which uses up no tries', async () => {
    const { clock, window, send, events, expectRest } = setup({ maxRetries: 0 });
    for (const message of ['a', 'b', 'c', 'd']) send(message);
    await events();
    for (let id = 1; id <= 4; id += 1) {
      clock.advance(900);
      window.acknowledge(id, 'bob');
    }
    expect(await events()).toStrictEqual(['a arrived', 'b arrived', 'c arrived', 'd arrived']);
    await expectRest();
  });

  it('repeats what a receiver passed over, which has what was sent later', async () => {
    const { clock, window, send, events } = setup();
    for (const message of ['a', 'b', 'c']) send(message);
    await events();
    clock.advance(900);
    window.acknowledge(2, 'bob');
    clock.advance(100);
    expect(await events()).toStrictEqual(['1 a again to bob', 'b arrived']);
  });

  it('gives up on a receiver that is silent though others acknowledge', async () => {
    const { clock, window, send, events } = setup({ maxRetries: 1 });
    for (const message of ['a', 'b', 'c']) send(message, ['bob', 'carol']);
    for (let id = 1; id <= 3; id += 1) {
      clock.advance(600);
      window.acknowledge(id, 'carol');
    }
    clock.advance(200);
    expect(await events()).toContain('bob does not answer');
    expect(clock.pending).toBe(0);
  });

  it('takes no notice of what it does not know', async () => {
    const { window, send, events } = setup();
    send('a');
    window.acknowledge(7, 'bob');
    window.acknowledge(1, 'carol');
    window.acknowledge(1, 'bob');
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual(['1 a', 'a arrived']);
  });

  it('lets only so many be under way, and the others follow in their order', async () => {
    const { window, send, events } = setup({ maxInFlight: 2 });
    for (const message of ['a', 'b', 'c', 'd']) send(message);
    expect(await events()).toStrictEqual(['1 a', '2 b']);
    window.acknowledge(2, 'bob');
    expect(await events()).toStrictEqual(['3 c', 'b arrived']);
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual(['4 d', 'a arrived']);
  });

  it('lets fewer be under way after some came late', async () => {
    const { clock, window, send, events } = setup();
    for (let id = 1; id <= 100; id += 1) send(`m${id}`);
    expect(await events()).toHaveLength(32);
    window.acknowledge(1, 'bob');
    clock.advance(900);
    expect((await events()).slice(-2)).toStrictEqual(['34 m34', 'm1 arrived']);
    for (let id = 2; id <= 34; id += 1) window.acknowledge(id, 'bob');
    const sent = (await events()).filter((event) => !event.includes('arrived'));
    expect(sent).toHaveLength(16);
  });

  it('makes room also when a message is given up', async () => {
    const { clock, send, events } = setup({ maxInFlight: 1, maxRetries: 0 });
    send('a');
    send('b');
    clock.advance(1_000);
    expect(await events()).toContain('2 b');
  });

  it('does not use up an id for a message that cannot be sent', async () => {
    const { clock, send, events } = setup();
    send('too large');
    send('a');
    expect(await events()).toStrictEqual(['1 a', 'too large: message-too-large']);
    expect(clock.pending).toBe(1);
  });

  it('goes on with the next when one that waited cannot be sent', async () => {
    const { window, send, events } = setup({ maxInFlight: 1 });
    for (const message of ['a', 'too large', 'b']) send(message);
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual([
      '1 a',
      '2 b',
      'too large: message-too-large',
      'a arrived',
    ]);
  });

  it('goes on with the others when one cannot be repeated, and gives that one up in the end', async () => {
    const { clock, send, events } = setup({ maxRetries: 1 });
    send('too large to repeat', ['bob']);
    send('a', ['carol']);
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 too large to repeat', '2 a', '2 a again to carol']);
    clock.advance(1_000);
    expect(await events()).toContain('too large to repeat: not-delivered');
    expect(clock.pending).toBe(0);
  });
});

describe('a message out of the sequence', () => {
  it('has the id it was given and takes none of the others', async () => {
    const { window, send, events } = setup();
    send('a');
    send('single', ['carol'], 2 ** 31 + 5);
    send('b');
    expect(await events()).toStrictEqual(['1 a', `${2 ** 31 + 5} single`, '2 b']);
    expect(window.kept(2 ** 31 + 5)).toBeUndefined();
  });

  it('is repeated like the others', async () => {
    const { clock, send, events } = setup();
    send('single', ['carol'], 2 ** 31);
    clock.advance(1_000);
    expect(await events()).toStrictEqual([`${2 ** 31} single`, `${2 ** 31} single again to carol`]);
  });
});

describe('a message that is asked for', () => {
  it('is given out, and waits for its acknowledgement as before', async () => {
    const { clock, window, send, events } = setup();
    send('a', ['bob', 'carol']);
    expect(window.kept(1)).toBe('a');
    window.acknowledge(1, 'carol');
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['1 a', '1 a again to bob']);
  });

  it('is sent once more after a reply, which may have come, whatever retries are left', async () => {
    const { clock, window, send, events, expectRest } = setup({ maxRetries: 0 });
    for (const message of ['a', 'b', 'c']) send(message);
    window.acknowledge(1, 'bob');
    window.acknowledge(3, 'bob');
    window.replied(2, 'bob');
    await events();
    clock.advance(1_000);
    expect(await events()).toStrictEqual(['2 b again to bob']);
    window.acknowledge(2, 'bob');
    expect(await events()).toStrictEqual(['b arrived']);
    await expectRest();
  });

  it('is given up all the same when it is only ever asked for', async () => {
    const { clock, window, send, events } = setup({ maxRetries: 1 });
    send('a', ['bob', 'carol']);
    for (let count = 0; count < 10; count += 1) {
      window.replied(1, 'bob');
      clock.advance(1_000);
    }
    const log = await events();
    expect(log.slice(-2)).toStrictEqual(['bob does not answer', 'a: not-delivered']);
    expect(log.filter((event) => event === '1 a again to bob')).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('is kept for as long as somebody is waited for', () => {
    const { window, send } = setup();
    send('a', ['bob']);
    for (let sent = 0; sent < maxSpan; sent += 1) send(`m${sent}`, []);
    expect(window.kept(1)).toBe('a');
  });

  it('is kept after it was acknowledged and after it was given up', () => {
    const { clock, window, send } = setup({ maxRetries: 0 });
    send('a');
    window.acknowledge(1, 'bob');
    send('b');
    clock.advance(1_000);
    expect([window.kept(1), window.kept(2)]).toStrictEqual(['a', 'b']);
  });

  it(`is kept until ${maxSpan} others were sent`, () => {
    const { window, send } = setup();
    for (let sent = 0; sent <= maxSpan; sent += 1) send(`m${sent + 1}`, []);
    expect(window.kept(1)).toBeUndefined();
    expect(window.kept(2)).toBe('m2');
    expect(window.kept(9_999)).toBeUndefined();
  });
});

describe('a receiver that leaves', () => {
  it('is waited for no longer', async () => {
    const { window, send, events, expectRest } = setup();
    send('a', ['bob', 'carol']);
    send('b', ['bob']);
    window.forget('bob');
    expect(await events()).toStrictEqual(['1 a', '2 b', 'b arrived']);
    window.forget('carol');
    expect(await events()).toStrictEqual(['a arrived']);
    await expectRest();
  });
});

it('takes one timer for all messages, and none when it is closed', async () => {
  const { clock, window, send, events } = setup();
  for (const message of ['a', 'b']) {
    send(message);
    window.acknowledge(message === 'a' ? 1 : 2, 'bob');
    await events();
    clock.advance(400);
  }
  expect(clock.pending).toBe(1);
  send('c');
  clock.advance(999);
  expect(await events()).toStrictEqual(['3 c']);
  clock.advance(1);
  expect(await events()).toStrictEqual(['3 c again to bob']);
  window.acknowledge(3, 'bob');
  window.close(closed);
  expect(clock.pending).toBe(0);
});

describe('idle', () => {
  it('settles at once when nothing is under way, else with the last message', async () => {
    const { clock, window, send, events } = setup({ maxRetries: 0 });
    await window.idle();
    send('a');
    send('b');
    void window.idle().then(() => send('idle', []));
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual(['1 a', '2 b', 'a arrived']);
    clock.advance(1_000);
    expect(await events()).toContain('idle arrived');
  });

  it('waits for messages that still wait for room', async () => {
    const { window, send, events } = setup({ maxInFlight: 1 });
    send('a');
    send('b');
    void window.idle().then(() => send('idle', []));
    window.acknowledge(1, 'bob');
    expect(await events()).toStrictEqual(['1 a', '2 b', 'a arrived']);
    window.acknowledge(2, 'bob');
    expect(await events()).toContain('idle arrived');
  });
});

describe('close', () => {
  it('fails what is under way, what waits and what comes later, and leaves no timer', async () => {
    const { clock, window, send, events } = setup({ maxInFlight: 1 });
    send('a');
    send('b');
    void window.idle().then(() => send('idle'));
    window.close(closed);
    window.close(new SlimError('timeout', 'a second time'));
    send('c');
    expect((await events()).toSorted()).toStrictEqual([
      '1 a',
      'a: session-closed',
      'b: session-closed',
      'c: session-closed',
      'idle: session-closed',
    ]);
    expect(clock.pending).toBe(0);
    expect(window.kept(1)).toBeUndefined();
  });
});
