import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Terminal } from './terminal.js';

const open: Terminal[] = [];

afterEach(() => {
  for (const terminal of open.splice(0)) terminal.close();
});

function setup() {
  const stop = new AbortController();
  const keys = new PassThrough();
  const output = new PassThrough({ encoding: 'utf8' });
  const terminal = new Terminal(stop.signal, keys, output);
  open.push(terminal);
  const written = (): string => String(output.read() ?? '');
  return { terminal, stop, keys, written };
}

describe('Terminal', () => {
  it('keeps lines for whoever listens first', () => {
    const { terminal, keys } = setup();
    const heard: string[] = [];
    keys.write('one\rtwo\r');
    terminal.onLine((line) => heard.push(line));
    keys.write('three\r');
    expect(heard).toStrictEqual(['one', 'two', 'three']);
  });

  it('takes one line for the answer to a question', async () => {
    const { terminal, keys, written } = setup();
    const answer = terminal.ask('name');
    expect(written()).toContain('name > ');
    keys.write(' acme/x/y \rnext\r');
    expect(await answer).toBe('acme/x/y');
    expect(await terminal.ask('what was typed ahead')).toBe('next');
  });

  it('draws the half typed line again below what it shows', () => {
    const { terminal, keys, written } = setup();
    keys.write('half a li');
    written();
    terminal.show('news');
    const shown = written();
    expect(shown.indexOf('news\n')).toBeLessThan(shown.indexOf('> half a li'));
  });

  it.each([
    ['Ctrl-C', ({ keys }: ReturnType<typeof setup>) => keys.write('\u0003')],
    ['Ctrl-D', ({ keys }: ReturnType<typeof setup>) => keys.write('\u0004')],
    ['the end of the input', ({ keys }: ReturnType<typeof setup>) => keys.end()],
    ['the signal to stop', ({ stop }: ReturnType<typeof setup>) => stop.abort()],
    [
      'close, twice',
      ({ terminal }: ReturnType<typeof setup>) => [1, 2].map(() => terminal.close()),
    ],
  ])('ends with %s, and so does a question', async (_, end) => {
    const parts = setup();
    const answer = parts.terminal.ask('name');
    end(parts);
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    await parts.terminal.ended;
    expect(parts.terminal.closed.aborted).toBe(true);
  });

  it('writes plainly once it is closed', () => {
    const { terminal, written } = setup();
    terminal.close();
    written();
    terminal.show('good\u0007-bye');
    expect(written()).toBe('good\u{fffd}-bye\n');
  });

  it('opens closed when it is to stop already', () => {
    const terminal = new Terminal(AbortSignal.abort(), new PassThrough(), new PassThrough());
    expect(terminal.closed.aborted).toBe(true);
  });
});
