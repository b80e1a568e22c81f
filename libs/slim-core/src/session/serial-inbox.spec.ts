import { describe, expect, it } from '@jest/globals';
import { turns } from '../testing/turns.js';
import { SerialInbox } from './serial-inbox.js';

/** Handles texts: those with a `?` wait for `finish`, those with a `!` fail. */
function setup() {
  const log: string[] = [];
  let finish: () => void = () => undefined;
  const inbox = new SerialInbox<string>(
    (item) => {
      log.push(item);
      const fail = (): void => {
        if (item.includes('!')) throw new Error(item);
      };
      if (!item.includes('?')) return fail();
      return new Promise<void>((resolve) => (finish = resolve)).then(fail);
    },
    (reason) => log.push(`failed ${(reason as Error).message}`),
  );
  return { log, inbox, finish: () => finish() };
}

describe('SerialInbox', () => {
  it('handles at once what needs no waiting', () => {
    const { log, inbox } = setup();
    inbox.push('a');
    inbox.push('b');
    expect(log).toStrictEqual(['a', 'b']);
  });

  it('lets later items wait for an earlier one', async () => {
    const { log, inbox, finish } = setup();
    for (const item of ['a?', 'b', 'c?', 'd']) inbox.push(item);
    expect(log).toStrictEqual(['a?']);
    finish();
    await turns();
    expect(log).toStrictEqual(['a?', 'b', 'c?']);
    finish();
    await turns();
    expect(log).toStrictEqual(['a?', 'b', 'c?', 'd']);
  });

  it('is free again after it waited', async () => {
    const { log, inbox, finish } = setup();
    inbox.push('a?');
    finish();
    await turns();
    inbox.push('b');
    expect(log).toStrictEqual(['a?', 'b']);
  });

  it('reports a failure and goes on', async () => {
    const { log, inbox, finish } = setup();
    for (const item of ['a!', 'b?!', 'c']) inbox.push(item);
    finish();
    await turns();
    expect(log).toStrictEqual(['a!', 'failed a!', 'b?!', 'failed b?!', 'c']);
  });

  it('lets only so many wait behind one that takes its time', async () => {
    const { log, inbox, finish } = setup();
    inbox.push('a?');
    for (let count = 0; count < 20_000; count += 1) inbox.push('b');
    const refused = log.filter((line) => line === 'failed 16384 messages wait already');
    expect(refused).toHaveLength(20_000 - 16_384);
    finish();
    await turns();
    expect(log.filter((line) => line === 'b')).toHaveLength(16_384);
  });

  it('handles what is pushed from within a handler after it', () => {
    const log: string[] = [];
    const inbox: SerialInbox<number> = new SerialInbox(
      (item) => {
        log.push(`begin ${item}`);
        if (item === 1) inbox.push(2);
        log.push(`end ${item}`);
      },
      () => undefined,
    );
    inbox.push(1);
    expect(log).toStrictEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });
});
