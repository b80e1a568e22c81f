import { describe, expect, it } from '@jest/globals';
import { IncomingItems } from './incoming-items.js';
import { defaultCredit } from './item-credit.js';
import { ItemSender } from './item-sender.js';

const many = 100_000;
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a sender and a reader that is a hundred times slower', () => {
  it('stay within the credit of each other, for as long as it takes', async () => {
    let [produced, read, lead] = [0, 0, 0];
    const sender = new ItemSender(defaultCredit, () => undefined);
    const incoming = new IncomingItems<number>(defaultCredit, (count) =>
      sender.credit.grant(count),
    );
    const write = async (): Promise<void> => {
      while (produced < many && (await sender.credit.take())) {
        lead = Math.max(lead, produced + 1 - read);
        const item = produced++;
        await sender.publish(async (sequence) => incoming.item(item, sequence));
      }
      incoming.end(sender.sequence);
    };
    const writing = write();
    for await (const item of incoming.queue) {
      // Time for far more than a hundred items, if the sender were let.
      await turn();
      if (item !== read) throw new Error(`item ${item} came in the place of ${read}`);
      read += 1;
    }
    await writing;
    // One is in the hands of the reader.
    expect({ read, lead }).toStrictEqual({ read: many, lead: defaultCredit + 1 });
  }, 60_000);
});
