import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One service of a demo in a process of its own. */
export class ServiceProcess {
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #lines: string[] = [];
  #wake: () => void = () => undefined;

  /** The lines of the program are passed on to `onLine` as they come. */
  constructor(
    program: URL,
    options: {
      readonly words?: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly onLine: (line: string) => void;
    },
  ) {
    this.#process = spawn(process.execPath, [fileURLToPath(program), ...(options.words ?? [])], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...options.env },
    });
    this.#closed = once(this.#process, 'close').then(() => this.#wake());
    if (!this.#process.stdout) throw new Error(`${program.href} has no output`);
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.#lines.push(line);
      options.onLine(line);
      this.#wake();
    });
  }

  /** What follows `text` in the first line that has it; waits for such a line. */
  async after(text: string): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => line.includes(text));
      if (found !== undefined) return found.slice(found.indexOf(text) + text.length).trim();
      if (this.#process.exitCode !== null) throw new Error(`a service ended before "${text}"`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Forgets the lines so far, so that `after` waits for new ones. */
  forget(): void {
    this.#lines.length = 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Waits for the process to end by itself, and fails when it failed. */
  async done(): Promise<void> {
    await this.#closed;
    if (this.#process.exitCode !== 0) throw new Error(`a service failed: ${String(this.#lines)}`);
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.#closed;
  }
}
