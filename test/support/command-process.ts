import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const LOG_LINES_KEPT = 60;
const STOP_GRACE_MS = 1_000;

interface Reply {
  readonly id: number;
  readonly ok: boolean;
  readonly error?: string;
}

interface PendingCall {
  readonly answered: (answer: object) => void;
  readonly failed: (error: string) => void;
}

/**
 * A Node program that takes JSON commands on standard input and answers them on descriptor 3.
 * Everything it writes to standard output and standard error is its log.
 */
export class CommandProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<string>;
  readonly #pending = new Map<number, PendingCall>();
  readonly #log: string[] = [];
  #lastId = 0;
  #end: string | undefined;

  constructor(program: string) {
    this.#child = spawn(process.execPath, [program], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', RUST_BACKTRACE: '0' },
    });
    this.#closed = once(this.#child, 'close').then(
      ([code, signal]) => this.#ended('ended with', code ?? signal),
      (reason: unknown) => this.#ended('did not start:', reason),
    );
    // A write to a process that has just died; the end of the process fails the calls.
    this.#child.stdin?.on('error', () => undefined);
    const [, stdout, stderr, replies] = this.#child.stdio;
    for (const log of [stdout, stderr]) this.#readLines(log, (line) => this.#keep(line));
    this.#readLines(replies, (line) => this.#receive(line));
  }

  /** Undefined when it did not start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Settles when it is gone: with its exit code, or the signal that ended it. */
  get exit(): Promise<string> {
    return this.#closed;
  }

  /** The last lines of the log. */
  get log(): string {
    return this.#log.join('\n');
  }

  /**
   * Rejects with the program's own error text; when it dies or gives no answer in time, with its log.
   * Without a time limit the call waits as long as the process lives.
   */
  call(op: string, args: object, timeoutMs?: number): Promise<unknown> {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#pending.delete(id);
      };
      const answered = (answer: object) => {
        settle();
        resolve(answer);
      };
      const failed = (error: string) => {
        settle();
        reject(new Error(`${op}: ${error}`));
      };
      const late = () => failed(this.#withLog(`no answer in ${String(timeoutMs)} ms`));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      if (this.#end !== undefined) return failed(this.#end);
      this.#pending.set(id, { answered, failed });
      this.#child.stdin?.write(`${JSON.stringify({ ...args, id, op })}\n`);
    });
  }

  /** Asks the process to end, and kills it when it does not. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.#closed;
    clearTimeout(timer);
  }

  /** Ends the process without warning, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #readLines(stream: unknown, onLine: (line: string) => void): void {
    createInterface({ input: stream as Readable }).on('line', onLine);
  }

  #keep(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES_KEPT) this.#log.shift();
  }

  #receive(line: string): void {
    const { id, ok, error, ...answer } = JSON.parse(line) as Reply;
    const call = this.#pending.get(id);
    if (ok) call?.answered(answer);
    else call?.failed(String(error));
  }

  #withLog(what: string): string {
    return `${what}; the log of the process:\n${this.#log.join('\n')}`;
  }

  #ended(how: string, what: unknown): string {
    this.#end = this.#withLog(`the process ${how} ${String(what)}`);
    for (const call of this.#pending.values()) call.failed(this.#end);
    return String(what);
  }
}
