import { describe, expect, it } from '@jest/globals';
import { timeLeftMs } from './time-left.mjs';

const tookMs = new Map([
  ['short', 100],
  ['long', 300],
]);

describe('timeLeftMs', () => {
  it('takes every run to last as long as the last of its kind', () => {
    const left = ['long', 'short', 'long'];
    expect(timeLeftMs({ running: 'short', elapsedMs: 40, left, tookMs })).toBe(760);
  });

  it('takes a new kind to last as long as the mean', () => {
    expect(timeLeftMs({ running: 'new', elapsedMs: 50, left: ['new'], tookMs })).toBe(350);
  });

  it('does not count back when a run takes longer than expected', () => {
    expect(timeLeftMs({ running: 'short', elapsedMs: 900, left: ['short'], tookMs })).toBe(100);
  });

  it('does not guess before the first run has ended', () => {
    const tookNothing = new Map<string, number>();
    const state = { running: 'short', elapsedMs: 5, left: ['short'], tookMs: tookNothing };
    expect(timeLeftMs(state)).toBeUndefined();
  });
});
