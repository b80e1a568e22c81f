import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { Heartbeat } from './heartbeat.js';
import { defaultSessionPolicy } from './session-policy.js';

const intervalMs = 10_000;

function setup() {
  const clock = new ManualClock();
  const log: string[] = [];
  const link = { isConnected: true };
  const policy = { ...defaultSessionPolicy, heartbeatMs: intervalMs, maxSilentIntervals: 3 };
  const heartbeat = new Heartbeat(clock, policy, {
    beat: () => log.push('beat'),
    lost: () => log.push('lost'),
    isConnected: () => link.isConnected,
  });
  return { clock, log, link, heartbeat };
}

describe('Heartbeat', () => {
  it('beats at every interval', () => {
    const { clock, log, heartbeat } = setup();
    clock.advance(intervalMs - 1);
    expect(log).toStrictEqual([]);
    clock.advance(1);
    heartbeat.heard();
    clock.advance(intervalMs);
    expect(log).toStrictEqual(['beat', 'beat']);
  });

  it('leaves out one beat when something else showed that this side lives', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.spoke();
    clock.advance(intervalMs);
    expect(log).toStrictEqual([]);
    clock.advance(intervalMs);
    expect(log).toStrictEqual(['beat']);
  });

  it('gives the other side up once it was silent for more than three intervals', () => {
    const { clock, log } = setup();
    clock.advance(3 * intervalMs);
    expect(log).toStrictEqual(['beat', 'beat', 'beat']);
    clock.advance(10 * intervalMs);
    expect(log).toStrictEqual(['beat', 'beat', 'beat', 'lost']);
    expect(clock.pending).toBe(0);
  });

  it('begins to count anew whenever something comes', () => {
    const { clock, log, heartbeat } = setup();
    for (let round = 0; round < 5; round += 1) {
      clock.advance(3 * intervalMs);
      heartbeat.heard();
    }
    expect(log).not.toContain('lost');
  });

  it('does not blame the other side while this one has no link', () => {
    const { clock, log, link } = setup();
    link.isConnected = false;
    clock.advance(20 * intervalMs);
    expect(log).not.toContain('lost');
    link.isConnected = true;
    clock.advance(4 * intervalMs);
    expect(log).toContain('lost');
  });

  it('leaves no timer when it is closed', () => {
    const { clock, log, heartbeat } = setup();
    heartbeat.close();
    heartbeat.close();
    clock.advance(10 * intervalMs);
    expect(log).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });
});
