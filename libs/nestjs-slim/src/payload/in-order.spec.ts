import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InOrder } from './in-order.js';

/** A value that is made in its own time. */
interface Making {
  readonly value: number | Promise<number>;
  settle(): void;
}

function making(value: number, how: 'now' | 'later' | 'fails'): Making {
  if (how === 'now') return { value, settle: () => undefined };
  let settle = (): void => undefined;
  const promise = new Promise<number>((resolve, reject) => {
    settle = () => (how === 'later' ? resolve(value) : reject(value));
  });
  return { value: promise, settle };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

function setup() {
  const log: string[] = [];
  const inOrder = new InOrder();
  const run = (value: number | Promise<number>): void =>
    inOrder.run(
      value,
      (made) => log.push(`made ${made}`),
      (reason) => log.push(`failed ${String(reason)}`),
    );
  return { log, run };
}

describe('InOrder', () => {
  it('goes on at once with what is there, when nothing else is being made', () => {
    const { log, run } = setup();
    run(1);
    run(2);
    expect(log).toStrictEqual(['made 1', 'made 2']);
  });

  it('keeps the order of what is made later, and is at once again afterwards', async () => {
    const { log, run } = setup();
    const slow = making(1, 'later');
    run(slow.value);
    run(2);
    await turns();
    expect(log).toStrictEqual([]);
    slow.settle();
    await turns();
    run(3);
    expect(log).toStrictEqual(['made 1', 'made 2', 'made 3']);
  });

  it.each(['now', 'later'] as const)(
    'takes work that throws on what is there %s for a failure, and goes on',
    async (when) => {
      const { log } = setup();
      const order = new InOrder();
      const first = making(1, when);
      const refuse = (): void => {
        throw new Error('by the test');
      };
      order.run(first.value, refuse, (reason) => log.push(String(reason)));
      order.run(2, (made) => log.push(`made ${made}`), String);
      first.settle();
      await turns();
      expect(log).toStrictEqual(['Error: by the test', 'made 2']);
    },
  );

  it('does not let a failure overtake what came before it', async () => {
    const { log, run } = setup();
    const [slow, failing] = [making(1, 'later'), making(2, 'fails')];
    for (const { value } of [slow, failing]) run(value);
    failing.settle();
    await turns();
    run(3);
    expect(log).toStrictEqual([]);
    slow.settle();
    await turns();
    expect(log).toStrictEqual(['made 1', 'failed 2', 'made 3']);
  });

  it('keeps the order whatever is made when, and how', async () => {
    const how = fc.constantFrom('now' as const, 'later' as const, 'fails' as const);
    const property = fc.asyncProperty(
      fc.array(fc.tuple(how, fc.nat()), { maxLength: 12 }),
      async (steps) => {
        const { log, run } = setup();
        const makings = steps.map(([kind], index) => making(index, kind));
        for (const { value } of makings) run(value);
        const order = steps.map(([, rank], index) => ({ rank, index }));
        for (const { index } of order.toSorted((one, other) => one.rank - other.rank)) {
          makings[index]?.settle();
          await Promise.resolve();
        }
        for (let turn = 0; turn < steps.length + 1; turn += 1) await turns();
        expect(log).toStrictEqual(
          steps.map(([kind], index) => `${kind === 'fails' ? 'failed' : 'made'} ${index}`),
        );
      },
    );
    await fc.assert(property);
  });
});
