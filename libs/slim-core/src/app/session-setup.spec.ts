import { describe, expect, it } from '@jest/globals';
import { defaultSessionPolicy } from '../session/session-policy.js';
import { invitedTimers } from './session-setup.js';

const patienceOf = (timeoutMs: number, maxRetries: number) => {
  const policy = invitedTimers(defaultSessionPolicy, { timeoutMs, maxRetries });
  return { intervalMs: policy.intervalMs, maxRetries: policy.maxRetries };
};

describe('the timers of an invitation', () => {
  it('are those of the moderator', () => {
    expect(patienceOf(1_500, 7)).toStrictEqual({ intervalMs: 1_500, maxRetries: 7 });
    expect(patienceOf(100, 0)).toStrictEqual({ intervalMs: 100, maxRetries: 0 });
  });

  it('are our own where it has none', () => {
    expect(invitedTimers(defaultSessionPolicy, undefined)).toStrictEqual(defaultSessionPolicy);
  });

  it('do not keep this side busy', () => {
    expect(patienceOf(0, 10)).toStrictEqual({ intervalMs: 10, maxRetries: 10 });
  });

  it.each([
    { timeoutMs: 2 ** 32 - 1, maxRetries: 2 ** 32 - 1 },
    { timeoutMs: 1_000, maxRetries: 2 ** 32 - 1 },
    { timeoutMs: 2 ** 31, maxRetries: 0 },
  ])('do not make this side wait for years: %p', ({ timeoutMs, maxRetries }) => {
    const patience = patienceOf(timeoutMs, maxRetries);
    expect(patience.intervalMs).toBeLessThanOrEqual(60_000);
    expect(patience.intervalMs * (patience.maxRetries + 1)).toBeLessThanOrEqual(600_000);
  });
});
