import { describe, expect, it } from '@jest/globals';
import { PeerProgress } from './peer-progress.js';
import { defaultSessionPolicy } from './session-policy.js';

const setup = () =>
  new PeerProgress({ ...defaultSessionPolicy, intervalMs: 1_000, maxRetries: 10 });

const message = (lastOrder: number, firstSentMs = 0) => ({ lastOrder, firstSentMs });

/** How many of 256 messages are repeated at a time, none of which was answered. */
const repeatsAt = (progress: PeerProgress, nowMs: number): number =>
  Array.from({ length: 256 }, (_, at) => progress.judge(message(1_000 + at), nowMs)).filter(
    (judgement) => judgement === 'repeat',
  ).length;

describe('PeerProgress', () => {
  it('repeats for a peer that was never heard of', () => {
    expect(setup().judge(message(1), 1_000)).toBe('repeat');
  });

  it.each([
    { silentMs: 0, expected: 'wait' },
    { silentMs: 499, expected: 'wait' },
    { silentMs: 500, expected: 'repeat' },
    { silentMs: 10_999, expected: 'repeat' },
    { silentMs: 11_000, expected: 'gone' },
  ])('$silentMs ms after the last answer: $expected', ({ silentMs, expected }) => {
    const progress = setup();
    progress.answered(1, 5_000);
    expect(progress.judge(message(2), 5_000 + silentMs)).toBe(expected);
  });

  it('has patience from when a message was sent, if the peer had nothing to answer before', () => {
    const progress = setup();
    progress.answered(1, 5_000);
    const late = message(2, 100_000);
    expect(progress.judge(late, 110_999)).toBe('repeat');
    expect(progress.judge(late, 111_000)).toBe('gone');
  });

  it('knows what the peer passed over', () => {
    const progress = setup();
    progress.answered(3, 5_000);
    progress.answered(1, 5_000);
    const judged = [2, 4].map((order) => progress.judge(message(order), 5_000));
    expect(judged).toStrictEqual(['passed-over', 'wait']);
  });

  it('repeats fewer at every interval of silence, but always one', () => {
    const progress = setup();
    const rounds = Array.from({ length: 9 }, (_, at) => repeatsAt(progress, 1_000 * at));
    expect(rounds).toStrictEqual([64, 32, 16, 8, 4, 2, 1, 1, 1]);
    expect(progress.judge(message(1), 8_999)).toBe('wait');
  });

  it('repeats many again once the peer was heard', () => {
    const progress = setup();
    for (let at = 0; at < 5; at += 1) repeatsAt(progress, 1_000 * at);
    progress.answered(1, 4_100);
    expect(repeatsAt(progress, 5_000)).toBe(64);
  });
});
