import { describe, expect, it } from '@jest/globals';
import { SlimError } from '@nestjs-slim/core';
import { Abortion } from './abortion.js';

const reason = new SlimError('aborted', 'by the test');

describe('Abortion', () => {
  it('aborts its signal, whether it was asked for before or after', () => {
    const [before, after] = [new Abortion(), new Abortion()];
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    for (const abortion of [before, after]) abortion.abort(reason);
    expect([signal.reason, after.signal.reason]).toStrictEqual([reason, reason]);
    expect(before.signal).toBe(signal);
  });

  it('calls back once, for the first reason', () => {
    const abortion = new Abortion();
    const seen: unknown[] = [];
    abortion.whenAborted(() => seen.push(abortion.reason));
    abortion.abort(reason);
    abortion.abort(new SlimError('timeout', 'later'));
    expect(seen).toStrictEqual([reason]);
  });

  it('calls back at once when it was aborted, and not when nobody wants to be called', () => {
    const abortion = new Abortion();
    let calls = 0;
    abortion.whenAborted(() => (calls += 1))();
    abortion.abort(reason);
    expect(calls).toBe(0);
    abortion.whenAborted(() => (calls += 1));
    expect(calls).toBe(1);
  });
});
