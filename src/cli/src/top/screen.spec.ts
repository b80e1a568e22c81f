import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Screen } from './screen.js';

const open: Screen[] = [];

afterEach(() => {
  for (const screen of open.splice(0)) screen.close();
});

function setup() {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (is: boolean) => raw.push(is) });
  const size = { columns: 40, rows: 3 };
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), size);
  const heard: string[] = [];
  const screen = new Screen(
    { input, output },
    { resized: () => heard.push('resized'), left: () => heard.push('left') },
  );
  open.push(screen);
  const written = (): string => String(output.read() ?? '');
  return { screen, input, output, raw, heard, written };
}

describe('Screen', () => {
  it('draws in place, no more lines than there are rows', () => {
    const { screen, written } = setup();
    expect(written()).toContain('\u001b[?1049h');
    screen.draw(['one', 'two', 'three', 'four']);
    expect(written()).toBe('\u001b[Hone\u001b[K\r\ntwo\u001b[K\r\nthree\u001b[K\u001b[J');
  });

  it.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('is left with %s', (_, key) => {
    const { input, heard } = setup();
    input.write('x');
    input.write(key);
    expect(heard).toStrictEqual(['left']);
  });

  it('tells when there is another size', () => {
    const { screen, output, heard } = setup();
    output.columns = 100;
    output.emit('resize');
    expect([heard, screen.size]).toStrictEqual([['resized'], { columns: 100, rows: 3 }]);
  });

  it('gives the terminal back as it was, once', () => {
    const { screen, input, output, raw, written } = setup();
    const hangUps = process.listenerCount('SIGHUP');
    written();
    screen.close();
    screen.close();
    screen.draw(['late']);
    expect(written()).toBe('\u001b[?7h\u001b[?25h\u001b[?1049l');
    expect(raw).toStrictEqual([true, false]);
    expect(process.listenerCount('SIGHUP')).toBe(hangUps - 1);
    expect([input.listenerCount('data'), output.listenerCount('resize')]).toStrictEqual([0, 0]);
  });
});
