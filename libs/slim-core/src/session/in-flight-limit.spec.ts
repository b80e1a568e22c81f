import { describe, expect, it } from '@jest/globals';
import { InFlightLimit } from './in-flight-limit.js';
import { defaultSessionPolicy } from './session-policy.js';

const setup = (maxInFlight = 256) =>
  new InFlightLimit({ ...defaultSessionPolicy, intervalMs: 1_000, maxInFlight });

/** Lets so many messages be acknowledged one after the other, each after that time. */
function acknowledge(limit: InFlightLimit, count: number, tookMs: number, fromMs = 0): void {
  for (let at = 0; at < count; at += 1) limit.acknowledged(fromMs + at, fromMs + at + tookMs);
}

describe('InFlightLimit', () => {
  it('begins low and grows by one with every message that is acknowledged soon', () => {
    const limit = setup();
    acknowledge(limit, 10, 250);
    expect(limit.current).toBe(42);
    acknowledge(limit, 1_000, 1);
    expect(limit.current).toBe(256);
  });

  it('is never more than the session allows', () => {
    const limit = setup(4);
    acknowledge(limit, 10, 1);
    limit.waiting(0, 1_000);
    expect(limit.current).toBe(4);
  });

  it('stays where messages are neither early nor late', () => {
    const limit = setup();
    acknowledge(limit, 1, 10);
    acknowledge(limit, 100, 400);
    expect(limit.current).toBe(33);
  });

  it('is halved once for all that were under way when it was', () => {
    const limit = setup();
    acknowledge(limit, 1_000, 1);
    acknowledge(limit, 100, 600, 5_000);
    expect(limit.current).toBe(128);
    acknowledge(limit, 1, 600, 6_000);
    expect(limit.current).toBe(64);
  });

  it('is halved when something is not acknowledged, down to a few', () => {
    const limit = setup();
    for (let at = 0; at < 10; at += 1) limit.waiting(at * 1_000, at * 1_000 + 600);
    expect(limit.current).toBe(8);
  });

  it('grows also where every message takes long', () => {
    const limit = setup();
    acknowledge(limit, 100, 800);
    acknowledge(limit, 100, 1_500);
    expect(limit.current).toBe(232);
  });
});
