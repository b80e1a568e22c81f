import { describe, expect, it } from '@jest/globals';
import { IncomingItems } from './incoming-items.js';

function setup(limit = 4) {
  const grants: number[] = [];
  const items = new IncomingItems<string>(limit, (count) => grants.push(count));
  return { grants, items };
}

async function read(items: IncomingItems<string>): Promise<string[]> {
  const values: string[] = [];
  for await (const value of items.queue) values.push(value);
  return values;
}

const lost = expect.objectContaining({ code: 'not-delivered' });

describe('IncomingItems', () => {
  it('asks for more as they are read', async () => {
    const { grants, items } = setup();
    for (const [sequence, value] of ['a', 'b', 'c'].entries()) items.item(value, sequence);
    items.end(3);
    expect(await read(items)).toStrictEqual(['a', 'b', 'c']);
    expect(grants).toStrictEqual([2]);
  });

  it.each([1, 3])('refuses item %d in the place of item 0', (sequence) => {
    const { items } = setup();
    expect(() => items.item('b', sequence)).toThrow(lost);
  });

  it('refuses an end that counts more items than came', () => {
    const { items } = setup();
    items.item('a', 0);
    expect(() => items.end(2)).toThrow(lost);
  });

  it('refuses more than it asked for', () => {
    const { items } = setup(1);
    items.item('a', 0);
    expect(() => items.item('b', 1)).toThrow(expect.objectContaining({ code: 'backpressure' }));
  });

  it('skips what is repeated, and whatever comes after the end', async () => {
    const { items } = setup(1);
    items.item('a', 0);
    items.item('a', 0);
    items.end(1);
    items.end(9);
    for (const sequence of [1, 2, 7]) items.item('late', sequence);
    expect(await read(items)).toStrictEqual(['a']);
  });

  it('skips what comes after the reader left', async () => {
    const { grants, items } = setup(1);
    await items.queue.return();
    for (const sequence of [0, 1, 9]) items.item('late', sequence);
    items.end(4);
    expect(grants).toStrictEqual([]);
  });

  it('fails after what came', async () => {
    const { items } = setup();
    items.item('a', 0);
    items.fail('broken');
    expect(await items.queue.next()).toMatchObject({ value: 'a' });
    await expect(items.queue.next()).rejects.toBe('broken');
  });
});
