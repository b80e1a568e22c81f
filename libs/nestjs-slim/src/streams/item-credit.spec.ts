import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ItemCredit, ItemReceipt, nextSequence } from './item-credit.js';

describe('ItemCredit', () => {
  it('lets as many go as were granted, and the next when there is more', async () => {
    const credit = new ItemCredit(2);
    expect([credit.take(), credit.take()]).toStrictEqual([true, true]);
    const [third, fourth] = [credit.take(), credit.take()];
    expect(third).toBeInstanceOf(Promise);
    credit.grant(1);
    expect(await third).toBe(true);
    credit.grant(2);
    expect(await fourth).toBe(true);
    expect(credit.take()).toBe(true);
    expect(credit.take()).toBeInstanceOf(Promise);
  });

  it('lets nothing go once it is closed, whatever was granted', async () => {
    const credit = new ItemCredit(0);
    const [first, second] = [credit.take(), credit.take()];
    credit.close();
    expect([await first, await second]).toStrictEqual([false, false]);
    credit.grant(5);
    expect(credit.take()).toBe(false);
  });

  it.each([Infinity, 2 ** 32 - 1])('takes a grant of %d', (many) => {
    const credit = new ItemCredit(many);
    for (let grants = 0; grants < 1_000; grants += 1) credit.grant(2 ** 32 - 1);
    expect(credit.take()).toBe(true);
  });

  it('never lets more go than was granted', async () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.integer({ min: 0, max: 5 }).map((count) => ({ count })),
    );
    const property = fc.asyncProperty(fc.array(step), fc.nat(5), async (steps, initial) => {
      const credit = new ItemCredit(initial);
      let [granted, gone, asked] = [initial, 0, 0];
      for (const at of steps) {
        if (at === 'take') {
          asked += 1;
          void Promise.resolve(credit.take()).then((mayGo) => (gone += Number(mayGo)));
        } else {
          granted += at.count;
          credit.grant(at.count);
        }
        await Promise.resolve();
        await Promise.resolve();
        expect(gone).toBe(Math.min(granted, asked));
      }
    });
    await fc.assert(property);
  });
});

describe('ItemReceipt', () => {
  it('grants what was read in halves of the limit, so that no more than the limit is unread', () => {
    const grants: number[] = [];
    const receipt = new ItemReceipt(4, (count) => grants.push(count));
    for (let sequence = 0; sequence < 4; sequence += 1) receipt.accept(sequence);
    receipt.consumed();
    expect(grants).toStrictEqual([]);
    receipt.consumed();
    expect(grants).toStrictEqual([2]);
  });

  it('refuses an item beyond the limit', () => {
    const receipt = new ItemReceipt(1, () => undefined);
    receipt.accept(0);
    expect(() => receipt.accept(1)).toThrow(
      expect.objectContaining({ code: 'backpressure', message: expect.stringContaining('1') }),
    );
  });

  it.each([1, 5, 2 ** 31])('says that an item was lost when %d comes first', (sequence) => {
    const receipt = new ItemReceipt(4, () => undefined);
    const lost = { code: 'not-delivered', message: 'item 0 of the stream was lost' };
    if (sequence < 2 ** 31) {
      expect(() => receipt.accept(sequence)).toThrow(expect.objectContaining(lost));
    }
    expect(() => receipt.inTurn(sequence)).toThrow(expect.objectContaining(lost));
  });

  it('skips an item that came before', () => {
    const receipt = new ItemReceipt(2, () => undefined);
    expect([0, 0, 1, 1, 0].map((sequence) => receipt.accept(sequence))).toStrictEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it('keeps a sender that heeds the credit within the limit, and never starves it', () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.boolean(), { maxLength: 200 }),
      (limit, steps) => {
        let [credit, sent, read] = [limit, 0, 0];
        const receipt = new ItemReceipt(limit, (count) => (credit += count));
        for (const isRead of steps) {
          if (isRead && read < sent) {
            read += 1;
            receipt.consumed();
          } else if (credit > 0) {
            credit -= 1;
            expect(receipt.accept(sent)).toBe(true);
            sent += 1;
          }
        }
        while (read < sent) {
          read += 1;
          receipt.consumed();
        }
        expect(credit).toBeGreaterThan(0);
      },
    );
    fc.assert(property);
  });
});

describe('nextSequence', () => {
  it.each([
    [0, 1],
    [2 ** 31 - 1, 2 ** 31],
    [2 ** 32 - 1, 0],
  ])('of %d is %d', (sequence, next) => {
    expect(nextSequence(sequence)).toBe(next);
  });
});
