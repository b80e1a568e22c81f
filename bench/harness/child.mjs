import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const logLinesKept = 40;
const stopGraceMs = 5_000;

/**
 * One process of a run: a program that takes JSON commands on standard input and answers them on
 * descriptor 3, as `serve` and the interop suite's native peer do. What it prints is its log.
 */
export class Child {
  #process;
  #role;
  /** @type {Map<number, { resolve(answer: any): void, reject(reason: Error): void }>} */
  #pending = new Map();
  /** @type {string[]} */
  #log = [];
  #lastId = 0;
  /** @type {string | undefined} */
  #end;
  /** @type {Promise<void>} */
  #closed;

  /** @param {{ role: string, program: string, args?: readonly string[], nodeArgs?: readonly string[] }} options */
  constructor({ role, program, args = [], nodeArgs = [] }) {
    this.#role = role;
    this.#process = spawn(process.execPath, [...nodeArgs, program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    this.#closed = once(this.#process, 'close').then(
      ([code, signal]) => this.#ended(`ended with ${code ?? signal}`),
      (reason) => this.#ended(`did not start: ${reason}`),
    );
    const [stdin, stdout, stderr, answers] = this.#process.stdio;
    // A write to a process that has just died; its end fails the calls.
    stdin?.on('error', () => undefined);
    for (const stream of [stdout, stderr]) readLines(stream, (line) => this.#keep(line));
    readLines(answers, (line) => this.#answered(JSON.parse(line)));
  }

  /**
   * Rejects with the program's error, or with its log when it ends first. Waits without a limit: the
   * run has one.
   * @param {string} op
   * @param {object} [args]
   * @returns {Promise<any>}
   */
  call(op, args = {}) {
    if (this.#end) return Promise.reject(new Error(this.#end));
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#process.stdin?.write(`${JSON.stringify({ ...args, id, op })}\n`);
    });
  }

  /** Milliseconds of CPU time since its start, of a program that uses `serve`. */
  async cpuMs() {
    return (await this.call('usage')).cpuMs;
  }

  /** Ends the process; afterwards it is gone for certain. */
  async stop() {
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopGraceMs);
    await this.#closed;
    clearTimeout(timer);
  }

  /** @param {string} line */
  #keep(line) {
    this.#log.push(line);
    if (this.#log.length > logLinesKept) this.#log.shift();
  }

  /** @param {{ id: number, ok: boolean, error?: string }} line */
  #answered({ id, ok, error, ...answer }) {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    if (ok) call?.resolve(answer);
    else call?.reject(new Error(`${this.#role}: ${error}`));
  }

  /** @param {string} how */
  #ended(how) {
    this.#end = [`${this.#role} ${how}; its log:`, ...this.#log].join('\n');
    for (const call of this.#pending.values()) call.reject(new Error(this.#end));
  }
}

/**
 * @param {any} stream
 * @param {(line: string) => void} onLine
 */
function readLines(stream, onLine) {
  createInterface({ input: stream }).on('line', onLine);
}
