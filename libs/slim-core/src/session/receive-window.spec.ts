import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextMessageId } from './message-ids.js';
import { ReceiveWindow, maxSpan, type Delivery } from './receive-window.js';

const lastId = 2 ** 31 - 1;

/** Writes down what the application gets: the message, or which id is lost. */
function setup(...before: readonly number[]) {
  const window = new ReceiveWindow<string>();
  const delivered: string[] = [];
  const write = (deliveries: readonly Delivery<string>[]): void => {
    for (const { id, message } of deliveries) delivered.push(message ?? `lost ${id}`);
  };
  /** Takes a message in and returns the ids that are to be asked for. */
  const accept = (id: number): readonly number[] => {
    const { deliver, missing } = window.accept(id, `m${id}`);
    write(deliver);
    return missing;
  };
  const giveUp = (id: number): void => write(window.giveUp(id));
  for (const id of before) accept(id);
  delivered.splice(0);
  return { accept, giveUp, delivered };
}

const range = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

// Reference: sessions 7.4.
describe('ReceiveWindow', () => {
  it.each([0, 1, 7, lastId])('lets a stream begin with any id: %d', (id) => {
    const { accept, delivered } = setup();
    expect(accept(id)).toStrictEqual([]);
    expect(delivered).toStrictEqual([`m${id}`]);
  });

  it('delivers the next message at once', () => {
    const { accept, delivered } = setup(1);
    expect(accept(2)).toStrictEqual([]);
    expect(delivered).toStrictEqual(['m2']);
  });

  it('drops duplicates and what is older than the beginning', () => {
    const { accept, delivered } = setup(5, 6);
    for (const id of [6, 5, 4, 1]) expect(accept(id)).toStrictEqual([]);
    expect(delivered).toStrictEqual([]);
  });

  it('holds what is further ahead and asks for every id in between', () => {
    const { accept, delivered } = setup(1);
    expect(accept(5)).toStrictEqual([2, 3, 4]);
    expect(delivered).toStrictEqual([]);
  });

  it('releases what is held as soon as nothing is missing before it', () => {
    const { accept, delivered } = setup(1, 3, 5);
    accept(4);
    expect(delivered).toStrictEqual([]);
    accept(2);
    expect(delivered).toStrictEqual(['m2', 'm3', 'm4', 'm5']);
  });

  it('drops a duplicate of what is held', () => {
    const { accept, delivered } = setup(1, 3);
    expect(accept(3)).toStrictEqual([]);
    accept(2);
    expect(delivered).toStrictEqual(['m2', 'm3']);
  });

  it('asks only for the new gaps when the range grows', () => {
    const { accept } = setup(1, 3);
    expect(accept(6)).toStrictEqual([4, 5]);
    expect(accept(5)).toStrictEqual([]);
  });

  it('reports what was given up in its place and goes on', () => {
    const { accept, giveUp, delivered } = setup(1, 3, 6);
    giveUp(4);
    expect(delivered).toStrictEqual([]);
    giveUp(2);
    expect(delivered).toStrictEqual(['lost 2', 'm3', 'lost 4']);
    accept(5);
    expect(delivered.slice(3)).toStrictEqual(['m5', 'm6']);
  });

  it('drops a message that comes after it was given up', () => {
    const { accept, giveUp, delivered } = setup(1, 3, 5);
    giveUp(4);
    accept(4);
    accept(2);
    expect(delivered).toStrictEqual(['m2', 'm3', 'lost 4', 'm5']);
  });

  it.each([
    { what: 'before anything came', before: [], id: 1 },
    { what: 'of a message that came', before: [1, 2], id: 2 },
    { what: 'of a message that is held', before: [1, 3], id: 3 },
    { what: 'of a message that nobody sent yet', before: [1], id: 2 },
    { what: 'of an id that is none', before: [1, 3], id: 2 ** 31 + 2 },
  ])('takes no notice of giving up $what', ({ before, id }) => {
    const { accept, giveUp, delivered } = setup(...before);
    giveUp(id);
    expect(delivered).toStrictEqual([]);
    accept(2);
    accept(3);
    expect(delivered.filter((text) => text.startsWith('lost'))).toStrictEqual([]);
  });

  it('goes on across the end of the ids', () => {
    const { accept, delivered } = setup(lastId - 1);
    expect(accept(1)).toStrictEqual([lastId, 0]);
    accept(0);
    accept(lastId);
    accept(lastId);
    expect(delivered).toStrictEqual([`m${lastId}`, 'm0', 'm1']);
  });

  it('asks for as many ids as a sender keeps, and gives up those before', () => {
    const { accept, delivered } = setup(1);
    const id = 1 + maxSpan + 3;
    expect(accept(id)).toStrictEqual(range(id - maxSpan + 1, maxSpan - 1));
    expect(delivered).toStrictEqual(['lost 2', 'lost 3', 'lost 4']);
  });

  it('begins anew after a jump that nothing can fill, behind what came before it', () => {
    const window = new ReceiveWindow<string>();
    for (const id of [1, 3, 5]) window.accept(id, `m${id}`);
    const far = 1_000_000_000;
    const { deliver, missing } = window.accept(far, `m${far}`);
    expect(missing).toStrictEqual([]);
    expect(deliver.map(({ id, message }) => message ?? `no ${id}`)).toStrictEqual([
      'no 2',
      'm3',
      'no 4',
      'm5',
      `m${far}`,
    ]);
    expect([2, 3, 4].map((id) => window.isLost(id))).toStrictEqual([true, false, true]);
    expect(window.accept(2, 'm2').deliver).toStrictEqual([]);
    expect(window.accept(far + 1, 'next').deliver).toHaveLength(1);
  });

  it('takes no notice of ids beyond 31 bits, which are in no sequence', () => {
    const { accept, delivered } = setup(1);
    for (const id of [2 ** 31, 2 ** 31 + 5, 2 ** 32 - 1]) expect(accept(id)).toStrictEqual([]);
    accept(2);
    expect(delivered).toStrictEqual(['m2']);
  });

  it('delivers every message once and in order, however they arrive', () => {
    const count = 60;
    fc.assert(
      fc.property(
        fc.constantFrom(1, lastId - 30),
        fc.shuffledSubarray(range(0, count), { minLength: count }),
        fc.array(fc.nat({ max: count - 1 })),
        (first, order, again) => {
          const ids = [first];
          for (let at = 1; at <= count; at += 1) ids.push(nextMessageId(ids[at - 1] ?? 0));
          const { accept, delivered } = setup(first);
          for (const index of [...order, ...again]) accept(ids[index + 1] ?? first);
          expect(delivered).toStrictEqual(ids.slice(1).map((id) => `m${id}`));
        },
      ),
    );
  });
});

describe('has', () => {
  it('knows what was taken in, what is held and what is given up, and nothing else', () => {
    const window = new ReceiveWindow<string>();
    expect(window.has(5)).toBe(false);
    for (const id of [5, 6, 9]) window.accept(id, `m${id}`);
    window.giveUp(8);
    const known = [4, 5, 6, 7, 8, 9, 10, 2 ** 31 + 6].filter((id) => window.has(id));
    expect(known).toStrictEqual([4, 5, 6, 8, 9]);
  });
});

describe('isLost', () => {
  it('knows what was given up, also when its turn is over', () => {
    const window = new ReceiveWindow<string>();
    for (const id of [5, 7, 9]) window.accept(id, `m${id}`);
    window.giveUp(8);
    window.giveUp(6);
    expect([5, 6, 7, 8, 9, 10].filter((id) => window.isLost(id))).toStrictEqual([6, 8]);
  });

  it(`remembers the last ${maxSpan}`, () => {
    const window = new ReceiveWindow<string>();
    for (let id = 1; id <= 2 * maxSpan + 3; id += 2) window.accept(id, `m${id}`);
    for (let id = 2; id <= 2 * maxSpan + 2; id += 2) window.giveUp(id);
    expect([2, 4].map((id) => window.isLost(id))).toStrictEqual([false, true]);
  });
});

describe('a stream that is resumed after a restart', () => {
  const resumed = () => new ReceiveWindow<string>({ isResumed: true });
  const take = (window: ReceiveWindow<string>, ...ids: number[]) =>
    ids.map((id) => window.accept(id, `m${id}`).deliver.map(({ message }) => message));

  it('takes what is repeated after a younger message, once', () => {
    const window = resumed();
    expect(take(window, 7, 5, 6, 8)).toStrictEqual([['m7'], ['m5'], ['m6'], ['m8']]);
    expect([4, 5, 6, 7, 8].filter((id) => window.has(id))).toStrictEqual([5, 6, 7, 8]);
    expect(take(window, 5, 6, 7, 8)).toStrictEqual([[], [], [], []]);
  });

  it('asks for nothing of before, and gives nothing of it up', () => {
    const window = resumed();
    expect(window.accept(7, 'm7').missing).toStrictEqual([]);
    expect(window.accept(5, 'm5').missing).toStrictEqual([]);
    expect(window.giveUp(6)).toStrictEqual([]);
    expect(window.accept(9, 'm9').missing).toStrictEqual([8]);
  });

  it('takes no more than a sender keeps, also where numbers begin anew', () => {
    const window = resumed();
    window.accept(600, 'm600');
    expect([88, 89].map((id) => window.has(id))).toStrictEqual([true, false]);
    const wrapped = resumed();
    expect(take(wrapped, 1, 2 ** 31 - 1, 0)).toStrictEqual([['m1'], [`m${2 ** 31 - 1}`], ['m0']]);
  });
});
