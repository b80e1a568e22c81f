import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@nestjs-slim/core/testing';
import fc from 'fast-check';
import { CallTimers } from './call-timers.js';

describe('CallTimers', () => {
  it('runs what the clock beneath would run, at the same time', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ after: fc.nat(50) }),
        fc.record({ cancel: fc.nat(20) }),
        fc.record({ advance: fc.nat(40) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (taken) => {
        const clocks = [new ManualClock(), new ManualClock()] as const;
        const timers = [new CallTimers(clocks[0]), clocks[1]] as const;
        const logs: [string[], string[]] = [[], []];
        for (const at of [0, 1] as const) {
          const cancels: (() => void)[] = [];
          for (const [number, step] of taken.entries()) {
            if ('advance' in step) clocks[at].advance(step.advance);
            else if ('cancel' in step) cancels[step.cancel]?.();
            else {
              const task = () => void logs[at].push(`${number} at ${clocks[at].now()}`);
              cancels[number] = timers[at].schedule(step.after, task);
            }
          }
        }
        expect(logs[0].toSorted()).toStrictEqual(logs[1].toSorted());
        expect(clocks[0].pending).toBe(Math.min(1, clocks[1].pending));
      }),
    );
  });

  it('takes no more than one timer of the clock beneath, and none when nothing waits', () => {
    const clock = new ManualClock();
    const timers = new CallTimers(clock);
    const cancels = [300, 100, 200].map((delayMs) => timers.schedule(delayMs, () => undefined));
    expect(clock.pending).toBe(1);
    for (const cancel of [...cancels, ...cancels]) cancel();
    expect(clock.pending).toBe(0);
  });

  it('leaves its timer to the next one while it works, and has none when it rests', () => {
    const clock = new ManualClock();
    const timers = new CallTimers(clock);
    const log: string[] = [];
    timers.work();
    timers.schedule(100, () => log.push('never'))();
    expect(clock.pending).toBe(1);
    clock.advance(50);
    const cancel = timers.schedule(100, () => log.push('due'));
    clock.advance(99);
    expect(log).toStrictEqual([]);
    clock.advance(1);
    expect(log).toStrictEqual(['due']);
    cancel();
    expect(clock.pending).toBe(0);
    const last = timers.schedule(100, () => log.push('never'));
    timers.rest();
    expect(clock.pending).toBe(1);
    last();
    expect(clock.pending).toBe(0);
    timers.work();
    timers.schedule(100, () => log.push('never'))();
    timers.rest();
    expect(clock.pending).toBe(0);
  });

  it('takes out and lets in while it runs what is due', () => {
    const clock = new ManualClock();
    const timers = new CallTimers(clock);
    const log: string[] = [];
    timers.schedule(10, () => {
      log.push('first');
      cancel();
      timers.schedule(0, () => log.push('at once'));
      timers.schedule(5, () => log.push('later'));
    });
    const cancel = timers.schedule(10, () => log.push('cancelled'));
    clock.advance(10);
    expect(log).toStrictEqual(['first', 'at once']);
    clock.advance(5);
    expect(log).toStrictEqual(['first', 'at once', 'later']);
    expect(clock.pending).toBe(0);
  });

  it('goes on with the others when one of them fails', () => {
    const clock = new ManualClock();
    const timers = new CallTimers(clock);
    const log: string[] = [];
    timers.schedule(10, () => {
      throw new Error('of its own');
    });
    timers.schedule(10, () => log.push('due too'));
    timers.schedule(20, () => log.push('later'));
    expect(() => clock.advance(10)).toThrow('of its own');
    clock.advance(10);
    expect(log).toStrictEqual(['due too', 'later']);
    expect(clock.pending).toBe(0);
  });

  it('runs what is due also when the time of day was set back meanwhile', () => {
    const clock = new ManualClock();
    let backMs = 0;
    const timers = new CallTimers({
      now: () => clock.now() - backMs,
      schedule: (delayMs, task) => clock.schedule(delayMs, task),
    });
    let ran = 0;
    timers.schedule(10, () => (ran += 1));
    backMs = 3_600_000;
    clock.advance(10);
    expect([ran, clock.pending]).toStrictEqual([1, 0]);
  });
});
