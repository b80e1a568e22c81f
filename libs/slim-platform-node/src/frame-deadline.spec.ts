import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@nestjs-slim/core/testing';
import { FrameDeadline } from './frame-deadline.js';

function setup() {
  const clock = new ManualClock();
  const progress = { completedFrames: 0, isMidFrame: false };
  const reader = { isReading: true };
  let late = 0;
  const deadline = new FrameDeadline({
    clock,
    timeoutMs: 1_000,
    progress,
    isReading: () => reader.isReading,
    late: () => (late += 1),
  });
  /** Bytes came in, the last of them within a frame or not. */
  const receive = (completed: number, isMidFrame: boolean): void => {
    progress.completedFrames += completed;
    progress.isMidFrame = isMidFrame;
    deadline.check();
  };
  return { clock, deadline, reader, receive, late: () => late };
}

describe('FrameDeadline', () => {
  it('notices a frame that was begun and does not come to an end', () => {
    const { clock, receive, late } = setup();
    receive(3, true);
    clock.advance(999);
    // More of the same frame does not help.
    receive(0, true);
    expect(late()).toBe(0);
    clock.advance(1);
    expect(late()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('leaves a peer alone that finishes its frames, however often a chunk ends within one', () => {
    const { clock, receive, late } = setup();
    for (let count = 0; count < 20; count += 1) {
      receive(1, true);
      clock.advance(600);
    }
    receive(1, false);
    clock.advance(1_000);
    expect(late()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('has no timer between frames', () => {
    const { clock, receive } = setup();
    receive(5, false);
    expect(clock.pending).toBe(0);
  });

  it('does not count the time in which we did not read', () => {
    const { clock, deadline, reader, receive, late } = setup();
    receive(0, true);
    clock.advance(900);
    reader.isReading = false;
    deadline.excuse();
    clock.advance(5_000);
    reader.isReading = true;
    clock.advance(1_000);
    expect(late()).toBe(0);
    clock.advance(1_000);
    expect(late()).toBe(1);
  });

  it('leaves no timer when it is stopped, and arms none later', () => {
    const { clock, deadline, receive } = setup();
    receive(0, true);
    deadline.stop();
    receive(0, true);
    expect(clock.pending).toBe(0);
  });
});
