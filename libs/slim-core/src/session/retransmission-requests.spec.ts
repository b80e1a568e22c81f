import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { RetransmissionRequests } from './retransmission-requests.js';
import { defaultSessionPolicy } from './session-policy.js';

function setup(maxRetries = 2) {
  const clock = new ManualClock();
  const log: string[] = [];
  const policy = { ...defaultSessionPolicy, intervalMs: 1_000, maxRetries };
  const link = { isConnected: true };
  const requests = new RetransmissionRequests(clock, policy, {
    isConnected: () => link.isConnected,
    ask: (id) => log.push(`ask ${id}`),
    giveUp: (id) => log.push(`give up ${id}`),
  });
  return { clock, link, log, requests };
}

describe('RetransmissionRequests', () => {
  it('asks at once and at every interval, then gives up once', () => {
    const { clock, log, requests } = setup(2);
    requests.start(7);
    expect(log).toStrictEqual(['ask 7']);
    clock.advance(999);
    expect(log).toStrictEqual(['ask 7']);
    clock.advance(1);
    clock.advance(1_000);
    expect(log).toStrictEqual(['ask 7', 'ask 7', 'ask 7']);
    clock.advance(10_000);
    expect(log).toStrictEqual(['ask 7', 'ask 7', 'ask 7', 'give up 7']);
    expect(clock.pending).toBe(0);
  });

  it('asks no more once the message came', () => {
    const { clock, log, requests } = setup();
    requests.start(7);
    requests.start(8);
    requests.stop(7);
    requests.stop(9);
    clock.advance(1_000);
    expect(log).toStrictEqual(['ask 7', 'ask 8', 'ask 8']);
  });

  it('waits for a sender that answers one after the other, which uses up no tries', () => {
    const { clock, log, requests } = setup(0);
    const ids = [1, 2, 3, 4];
    for (const id of ids) requests.start(id);
    for (const id of ids) {
      clock.advance(900);
      requests.stop(id);
    }
    expect(log).toStrictEqual(['ask 1', 'ask 2', 'ask 3', 'ask 4']);
    expect(clock.pending).toBe(0);
  });

  it('asks again for what the sender passed over', () => {
    const { clock, log, requests } = setup();
    for (const id of [1, 2, 3]) requests.start(id);
    clock.advance(900);
    requests.stop(2);
    clock.advance(100);
    expect(log).toStrictEqual(['ask 1', 'ask 2', 'ask 3', 'ask 1']);
  });

  it('asks once for an id that it asks for already', () => {
    const { log, requests } = setup();
    requests.start(7);
    requests.start(7);
    expect(log).toStrictEqual(['ask 7']);
  });

  it('may be asked anew for what it gave up', () => {
    const { clock, log, requests } = setup(0);
    requests.start(7);
    clock.advance(1_000);
    requests.start(7);
    expect(log).toStrictEqual(['ask 7', 'give up 7', 'ask 7']);
  });

  it('neither asks nor gives up without a link, and begins anew when there is one', () => {
    const { clock, link, log, requests } = setup(1);
    requests.start(7);
    link.isConnected = false;
    clock.advance(10_000);
    expect(log).toStrictEqual(['ask 7']);
    link.isConnected = true;
    clock.advance(1_000);
    expect(log).toStrictEqual(['ask 7', 'ask 7']);
    clock.advance(2_000);
    expect(log).toStrictEqual(['ask 7', 'ask 7', 'ask 7', 'give up 7']);
    expect(clock.pending).toBe(0);
  });

  it('knows what it asks for', () => {
    const { requests } = setup();
    requests.start(7);
    expect([requests.has(7), requests.has(8)]).toStrictEqual([true, false]);
    requests.stop(7);
    expect(requests.has(7)).toBe(false);
  });

  it('leaves no timer when it is closed, also from within giving up', () => {
    const { clock, log, requests } = setup();
    for (const id of [1, 2, 3]) requests.start(id);
    requests.close();
    clock.advance(10_000);
    expect(log).toStrictEqual(['ask 1', 'ask 2', 'ask 3']);
    expect(clock.pending).toBe(0);
  });
});
