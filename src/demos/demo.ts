import { once } from 'node:events';
import { styleText } from 'node:util';
import { ServiceProcess } from './service-process.js';

type Style = Parameters<typeof styleText>[0];

const colourful = process.stdout.isTTY && process.env.NO_COLOR === undefined;

/** The services of a demo, each in its own process, and the story that is told of them. */
export class Demo {
  /** What the services that are started from here on find in their environment. */
  readonly env: Record<string, string> = {};
  readonly #folder: string;
  readonly #isShown: (line: string) => boolean;
  readonly #running: ServiceProcess[] = [];
  #isOver = false;
  #isKept = false;

  /** `folder` is the URL of a file beside the programs; lines that `isShown` refuses are not told. */
  constructor(folder: string, isShown: (line: string) => boolean = () => true) {
    this.#folder = folder;
    this.#isShown = isShown;
  }

  say(text: string, style: Style = 'reset'): void {
    process.stdout.write(`${colourful ? styleText(style, text) : text}\n`);
  }

  /** A heading of the story. */
  step(text: string): void {
    this.say(`\n${text}`, 'bold');
  }

  start(
    program: string,
    { words = [], env = {} }: { words?: readonly string[]; env?: Record<string, string> } = {},
  ): ServiceProcess {
    const service = new ServiceProcess(new URL(program, this.#folder), {
      words,
      env: { ...this.env, ...env },
      onLine: (line) => {
        if (!this.#isOver && this.#isShown(line)) this.say(`  ${line}`, 'cyan');
      },
    });
    this.#running.push(service);
    return service;
  }

  /** The end of a story that goes on until somebody ends it. */
  untilInterrupted(): Promise<never> {
    this.#isKept = true;
    return new Promise(() => undefined);
  }

  /** Tells the story and ends every process; the exit code says whether the story held. */
  async tell(story: () => Promise<string>): Promise<void> {
    try {
      this.say(`\n${await Promise.race([story(), this.#interruption()])}`, 'green');
    } catch (reason) {
      this.say(`\nThe demo failed: ${String(reason)}`, 'red');
      process.exitCode = 1;
    } finally {
      this.#isOver = true;
      // One after the other, the node last: each can say good-bye to those who are there still.
      for (const service of this.#running.toReversed()) await service.stop();
    }
  }

  /** Otherwise whoever ends the demo would leave its services behind. */
  async #interruption(): Promise<string> {
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    if (!this.#isKept) throw new Error('interrupted');
    return 'Closed.';
  }
}
