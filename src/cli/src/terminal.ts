import {
  clearScreenDown,
  createInterface,
  cursorTo,
  moveCursor,
  type Interface,
} from 'node:readline';
import { SlimError } from '@nestjs-slim/core';
import { printable } from './printable.js';

const prompt = '> ';

/**
 * A person at a terminal, who types lines and is shown others meanwhile. Ctrl-C and Ctrl-D close it, and so
 * do the signal to stop and the end of the terminal itself.
 */
export class Terminal {
  readonly #input: Interface;
  readonly #output: NodeJS.WritableStream;
  readonly #gone = new AbortController();
  /** Settles once nothing more is typed. */
  readonly ended: Promise<void>;
  readonly #unheard: string[] = [];
  #isClosing = false;
  #listener: ((line: string) => void) | undefined;

  constructor(
    stop: AbortSignal,
    input: NodeJS.ReadableStream = process.stdin,
    output: NodeJS.WritableStream = process.stdout,
  ) {
    this.#output = output;
    this.#input = createInterface({ input, output, prompt, terminal: true });
    // While Node.js has it off, during a paste, it does not count the rows that the input wraps to.
    const always = { get: () => true, set: () => undefined };
    Object.defineProperty(this.#input, 'isCompletionEnabled', always);
    const close = (): void => this.close();
    // A window that is closed is told by a signal, or by several, and by failing streams.
    process.on('SIGHUP', close);
    this.#input.on('error', close);
    output.on('error', close);
    stop.addEventListener('abort', close, { once: true });
    this.#input.on('line', (line) => this.#typed(line));
    this.ended = new Promise((resolve) => {
      this.#input.once('close', () => {
        this.#eraseInput();
        stop.removeEventListener('abort', close);
        this.#gone.abort(new SlimError('aborted', 'the terminal was closed'));
        resolve();
      });
    });
    this.#input.prompt();
    if (stop.aborted) this.close();
  }

  /** Aborted when it ends. */
  get closed(): AbortSignal {
    return this.#gone.signal;
  }

  /** Gives every line to the listener, and to no other; those first that nobody has heard yet. */
  onLine(listener: (line: string) => void): void {
    this.#listener = listener;
    for (const line of this.#unheard.splice(0)) listener(line);
  }

  /** The answer to a question. @throws SlimError `aborted` when the terminal is closed instead */
  async ask(question: string): Promise<string> {
    const typedAhead = this.#unheard.shift();
    if (typedAhead !== undefined) return typedAhead.trim();
    this.#input.setPrompt(`${question} ${prompt}`);
    if (!this.closed.aborted) this.#input.prompt(true);
    const answer = await Promise.race([this.#nextLine(), this.ended]);
    if (answer === undefined) throw SlimError.from(this.closed.reason, 'aborted');
    return answer.trim();
  }

  /** Shows text above the line that is being typed, which stays as it is. */
  readonly show = (text: string): void => {
    if (this.closed.aborted) return void this.#output.write(`${printable(text)}\n`);
    const rows = this.#eraseInput();
    // `prompt` goes up by the rows that the input took before it draws it anew.
    this.#output.write(`${printable(text)}\n${'\n'.repeat(rows)}`);
    this.#input.prompt(true);
  };

  /** May be called twice. What is shown afterwards is written plainly. */
  close(): void {
    if (this.#isClosing) return; // the terminal that is gone fails again meanwhile
    this.#isClosing = true;
    this.#input.close();
  }

  #typed(line: string): void {
    // First, since whatever is shown expects a prompt to erase.
    this.#input.setPrompt(prompt);
    this.#input.prompt();
    if (this.#listener) this.#listener(line);
    else this.#unheard.push(line);
  }

  #nextLine(): Promise<string> {
    return new Promise((resolve) => {
      this.#listener = (line) => {
        this.#listener = undefined;
        resolve(line);
      };
    });
  }

  /** Returns how many rows below its first one the cursor was. */
  #eraseInput(): number {
    const { rows } = this.#input.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    return rows;
  }
}
