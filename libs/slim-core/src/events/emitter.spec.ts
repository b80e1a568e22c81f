import { describe, expect, it } from '@jest/globals';
import { turns } from '../testing/turns.js';
import { uncaughtBy } from '../testing/uncaught.js';
import { Emitter } from './emitter.js';

interface Events {
  readonly count: number;
  readonly text: string;
}

function setup() {
  const emitter = new Emitter<Events>();
  const log: string[] = [];
  const listen = (who: string) => emitter.on('count', (count) => log.push(`${who} ${count}`));
  return { emitter, log, listen };
}

describe('Emitter', () => {
  it('calls everybody who listens to that event', () => {
    const { emitter, log, listen } = setup();
    listen('a');
    listen('b');
    emitter.on('text', (text) => log.push(text));
    emitter.emit('count', 1);
    emitter.emit('text', 'hello');
    expect(log).toStrictEqual(['a 1', 'b 1', 'hello']);
  });

  it('calls nobody who stopped listening, not even from within a call', () => {
    const { emitter, log, listen } = setup();
    const stop = emitter.on('count', (count) => {
      log.push(`once ${count}`);
      stop();
    });
    listen('a');
    for (const count of [1, 2]) emitter.emit('count', count);
    stop();
    expect(log).toStrictEqual(['once 1', 'a 1', 'a 2']);
  });

  it('calls the others, too, when one throws, which is an uncaught exception', async () => {
    const { emitter, log, listen } = setup();
    const reason = new TypeError('a listener');
    emitter.on('count', () => {
      throw reason;
    });
    listen('b');
    const uncaught = await uncaughtBy(async () => {
      emitter.emit('count', 1);
      await turns();
    });
    expect(log).toStrictEqual(['b 1']);
    expect(uncaught).toStrictEqual([reason]);
  });

  it('has nothing to do when nobody listens', () => {
    expect(() => setup().emitter.emit('count', 1)).not.toThrow();
  });
});
