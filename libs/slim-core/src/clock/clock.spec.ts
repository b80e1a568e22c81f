import { describe, expect, it } from '@jest/globals';
import { systemClock } from './clock.js';

describe('systemClock', () => {
  it('keeps what is due later than timers can wait waiting', async () => {
    const ran: string[] = [];
    const cancels = [2 ** 31, 2 ** 32, 2 ** 53, Infinity].map((delayMs) =>
      systemClock.schedule(delayMs, () => ran.push(`${delayMs}`)),
    );
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve));
    expect(ran).toStrictEqual([]);
    for (const cancel of cancels) cancel();
  });
});
