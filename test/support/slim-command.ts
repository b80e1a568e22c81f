import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/cli/bin/slim.js', import.meta.url));

/** One line that the command printed. */
export type Line = Readonly<Record<string, unknown>> & { readonly event: string };

/** What a command left behind. */
export interface Finished {
  readonly lines: readonly Line[];
  readonly code: number | null;
  /** What it wrote for people. */
  readonly log: string;
}

/** The `slim` command in a process of its own. Needs the build. */
export class SlimCommand {
  readonly #process: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #closed: Promise<unknown[]>;
  #log = '';
  #wake: () => void = () => undefined;

  constructor(...words: readonly string[]) {
    this.#process = spawn(process.execPath, [program, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#process, 'close');
    this.#process.stderr?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    if (!this.#process.stdout) throw new Error('the command has no output');
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
    void this.#closed.then(() => this.#wake());
  }

  /** The first line with that event, waited for; fails when the process ends without one. */
  async line(event: string): Promise<Line> {
    for (;;) {
      const found = this.#lines.find((line) => line.event === event);
      if (found) return found;
      if (this.#process.exitCode !== null) {
        throw new Error(`the command ended without "${event}": ${this.#log}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits for the process to end by itself. */
  async finished(): Promise<Finished> {
    const [code] = (await this.#closed) as [number | null];
    return { lines: this.#lines, code, log: this.#log };
  }

  /** Asks the process to stop, as a terminal or an orchestrator does. */
  async stop(): Promise<Finished> {
    this.#process.kill('SIGTERM');
    return this.finished();
  }
}

/** Runs a command to its end. */
export function slim(...words: readonly string[]): Promise<Finished> {
  return new SlimCommand(...words).finished();
}
