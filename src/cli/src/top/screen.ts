import type { Size } from './top-view.js';

const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearLineRight = '\u001b[K';
const clearDown = '\u001b[J';

/** Ctrl-C and Ctrl-D come as characters, since the terminal passes on every key at once. */
const leaveKeys: ReadonlySet<string> = new Set(['q', 'Q', '\u0003', '\u0004']);

const defaultSize: Size = { columns: 80, rows: 24 };

/** What a screen needs of the standard streams. */
export interface ScreenStreams {
  readonly input: NodeJS.ReadableStream & { setRawMode?(isRaw: boolean): unknown };
  readonly output: NodeJS.WritableStream & { readonly columns?: number; readonly rows?: number };
}

/** What a screen tells. */
export interface ScreenEvents {
  /** There is another size to draw for. */
  readonly resized: () => void;
  /** The person wants to leave, or the terminal has gone. */
  readonly left: () => void;
}

/**
 * The whole terminal, drawn again in place, and given back as it was: what was on it before is there again
 * once it is closed.
 */
export class Screen {
  readonly #streams: ScreenStreams;
  readonly #stop: () => void;
  #isClosed = false;

  constructor(streams: ScreenStreams, { resized, left }: ScreenEvents) {
    this.#streams = streams;
    const { input, output } = streams;
    const key = (pressed: Buffer | string): void => {
      if (Array.from(pressed.toString()).some((character) => leaveKeys.has(character))) left();
    };
    input.setRawMode?.(true);
    input.on('data', key);
    for (const event of ['end', 'error']) input.on(event, left);
    output.on('resize', resized);
    output.on('error', left);
    process.on('SIGHUP', left);
    this.#stop = () => {
      input.off('data', key);
      for (const event of ['end', 'error']) input.off(event, left);
      output.off('resize', resized);
      process.off('SIGHUP', left);
      input.setRawMode?.(false);
      input.pause();
    };
    output.write(enter);
  }

  get size(): Size {
    const { columns, rows } = this.#streams.output;
    return columns && rows ? { columns, rows } : defaultSize;
  }

  /** Shows these lines, from the top, and nothing else. */
  draw(lines: readonly string[]): void {
    if (this.#isClosed) return;
    const shown = lines.slice(0, this.size.rows).map((line) => `${line}${clearLineRight}`);
    this.#streams.output.write(`${home}${shown.join('\r\n')}${clearDown}`);
  }

  /** May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop();
    this.#streams.output.write(leave);
  }
}
