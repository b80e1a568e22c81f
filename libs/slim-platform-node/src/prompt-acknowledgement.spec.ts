import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@nestjs-slim/core/testing';
import { windowBytes } from './http2-settings.js';
import { acknowledgePromptly } from './prompt-acknowledgement.js';

function setup() {
  const clock = new ManualClock();
  const stream = new EventEmitter();
  const windows: number[] = [];
  const session = {
    destroyed: false,
    setLocalWindowSize: (bytes: number) => windows.push(bytes - windowBytes),
  };
  const socket = { bytesWritten: 100 };
  const stop = acknowledgePromptly({ stream, session, socket, clock });
  return { clock, stream, windows, session, socket, stop };
}

describe('acknowledgePromptly', () => {
  it('says once for each burst that it arrived', () => {
    const { clock, stream, windows } = setup();
    for (let burst = 0; burst < 2; burst += 1) {
      stream.emit('data');
      stream.emit('data');
      clock.advance(1);
    }
    expect(windows).toStrictEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  it('says nothing where an answer was written, or nobody listens any more', () => {
    const { clock, stream, windows, session, socket } = setup();
    stream.emit('data');
    socket.bytesWritten += 1;
    clock.advance(1);
    stream.emit('data');
    session.destroyed = true;
    clock.advance(1);
    expect(windows).toStrictEqual([]);
  });

  it('leaves no timer behind', () => {
    const { clock, stream, windows, stop } = setup();
    stream.emit('data');
    stop();
    stop();
    expect(clock.pending).toBe(0);
    expect(windows).toStrictEqual([]);
  });
});
