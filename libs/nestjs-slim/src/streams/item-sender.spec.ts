import { describe, expect, it } from '@jest/globals';
import { Signal } from '../testing/spec-outcome.js';
import { ItemSender } from './item-sender.js';

describe('ItemSender', () => {
  it('numbers items from 0 and counts them', async () => {
    const sender = new ItemSender(Infinity, () => undefined);
    const numbers: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      await sender.publish(async (sequence) => void numbers.push(sequence));
    }
    expect([numbers, sender.sequence]).toStrictEqual([[0, 1, 2], 3]);
  });

  it('has 64 on their way at most, and goes on when one of them arrived', async () => {
    const sender = new ItemSender(Infinity, () => undefined);
    const arrivals: Signal[] = [];
    const send = (): Promise<void> => {
      const arrival = new Signal();
      arrivals.push(arrival);
      return arrival.fired;
    };
    for (let count = 0; count < 63; count += 1) await sender.publish(send);
    let isFree = false;
    const last = sender.publish(send)?.then(() => (isFree = true));
    await Promise.resolve();
    expect([arrivals.length, isFree]).toStrictEqual([64, false]);
    arrivals[40]?.fire();
    expect(await last).toBe(true);
  });

  it('is idle when everything arrived or failed, and tells what failed', async () => {
    const failures: unknown[] = [];
    const sender = new ItemSender(Infinity, (reason) => failures.push(reason));
    const arrival = new Signal();
    void sender.publish(() => arrival.fired);
    void sender.publish(() => Promise.reject(new Error('lost')));
    const idle = new Signal();
    sender.whenIdle(() => idle.fire());
    arrival.fire();
    await idle.fired;
    expect(failures).toStrictEqual([new Error('lost')]);
  });

  it('is idle at once when nothing is on its way', () => {
    let isIdle = false;
    new ItemSender(Infinity, () => undefined).whenIdle(() => (isIdle = true));
    expect(isIdle).toBe(true);
  });
});
