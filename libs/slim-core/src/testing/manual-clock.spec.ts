import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './manual-clock.js';

function setup() {
  const clock = new ManualClock(1_000);
  const log: string[] = [];
  const note = (what: string) => () => log.push(`${what} at ${clock.now()}`);
  return { clock, log, note };
}

describe('ManualClock', () => {
  it('stands still until it is moved', () => {
    const { clock, log, note } = setup();
    clock.schedule(0, note('a'));
    expect([clock.now(), clock.pending]).toStrictEqual([1_000, 1]);
    expect(log).toStrictEqual([]);
  });

  it('runs what is due on the way, in the order of time and then of asking', () => {
    const { clock, log, note } = setup();
    clock.schedule(20, note('late'));
    clock.schedule(10, note('early'));
    clock.schedule(10, note('early too'));
    clock.schedule(21, note('never'));
    clock.advance(20);
    expect(log).toStrictEqual(['early at 1010', 'early too at 1010', 'late at 1020']);
    expect([clock.now(), clock.pending]).toStrictEqual([1_020, 1]);
  });

  it('runs also what a task schedules, if it is due by then', () => {
    const { clock, log, note } = setup();
    clock.schedule(10, () => {
      clock.schedule(5, note('soon'));
      clock.schedule(50, note('later'));
    });
    clock.advance(20);
    expect(log).toStrictEqual(['soon at 1015']);
  });

  it('does not run what was cancelled', () => {
    const { clock, log, note } = setup();
    const cancel = clock.schedule(10, note('a'));
    clock.schedule(5, cancel);
    clock.advance(100);
    cancel();
    expect(log).toStrictEqual([]);
    expect(clock.pending).toBe(0);
  });
});
