import { fileURLToPath } from 'node:url';
import { spawn, type IPty } from '@lydell/node-pty';
import headless from '@xterm/headless';

const program = fileURLToPath(new URL('../../src/cli/bin/slim.js', import.meta.url));
const deadlineMs = 15_000;

/** The terminal that a command runs on. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The `slim` command on a pseudo-terminal, and what a person there sees. Needs the build. */
export class SlimTerminal {
  readonly #pty: IPty;
  readonly #screen: headless.Terminal;
  readonly #exited: Promise<number>;
  #output = '';
  #exitCode: number | undefined;
  #wake: () => void = () => undefined;

  constructor(words: readonly string[], { columns = 100, env = {} }: TerminalOptions = {}) {
    const size = { cols: columns, rows: 40 };
    this.#screen = new headless.Terminal({ ...size, allowProposedApi: true });
    this.#pty = spawn(process.execPath, [program, ...words], {
      ...size,
      name: 'xterm',
      env: { ...process.env, ...env },
    });
    this.#pty.onData((data) => {
      this.#output += data;
      this.#screen.write(data, () => this.#wake());
    });
    this.#exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        this.#exitCode = exitCode;
        resolve(exitCode);
        this.#wake();
      });
    });
  }

  /** Every byte that was written, as text. */
  get output(): string {
    return this.#output;
  }

  /** The rows as they look, up to the last one with anything in it. */
  get rows(): readonly string[] {
    const { active } = this.#screen.buffer;
    const rows = Array.from({ length: active.length }, (_, row) =>
      (active.getLine(row)?.translateToString(true, 0, this.#screen.cols) ?? '').trimEnd(),
    );
    return rows.slice(0, rows.findLastIndex((row) => row !== '') + 1);
  }

  /** Presses keys. */
  press(keys: string): void {
    this.#pty.write(keys);
  }

  /** Types a line and ends it. */
  enter(line: string): void {
    this.press(`${line}\r`);
  }

  /** Gives the terminal another size, as a person does who draws at the corner of its window. */
  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until these rows stand somewhere, one under the other; fails with the screen. */
  async shows(...expected: readonly (string | RegExp)[]): Promise<void> {
    const isThere = (): boolean => {
      const { rows } = this;
      const isAt = (row = '', wanted: string | RegExp): boolean =>
        typeof wanted === 'string' ? row === wanted : wanted.test(row);
      return rows.some((_, start) => expected.every((row, i) => isAt(rows[start + i], row)));
    };
    const lateAt = Date.now() + deadlineMs;
    while (!isThere()) {
      if (this.#exitCode !== undefined || Date.now() > lateAt) {
        throw new Error(
          `expected\n${expected.join('\n')}\n\non the screen:\n${this.rows.join('\n')}`,
        );
      }
      await this.#change(lateAt - Date.now());
    }
  }

  /** The code that the command ended with by itself, once all it wrote is on the screen. */
  async exitCode(): Promise<number> {
    const code = await this.#exited;
    await new Promise<void>((resolve) => this.#screen.write('', resolve));
    return code;
  }

  /** Takes the terminal away, as closing its window does. */
  async hangUp(): Promise<number> {
    if (this.#exitCode === undefined) this.#pty.kill('SIGHUP');
    return this.exitCode();
  }

  /** Asks the process to stop, as the system does. */
  terminate(): void {
    this.#pty.kill('SIGTERM');
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
