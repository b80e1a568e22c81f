import { turns } from './turns.js';

/** A text that others change, read when the test answers; the test also says when it has changed. */
export class AnsweredSource {
  readonly #answers: ((text: string) => void)[] = [];
  #changed = (): void => undefined;

  /** Readings that wait for an answer. */
  get waiting(): number {
    return this.#answers.length;
  }

  readonly read = (): Promise<string> => new Promise((resolve) => this.#answers.push(resolve));

  readonly onChange = (listener: () => void): (() => void) => {
    this.#changed = listener;
    return () => undefined;
  };

  change(): void {
    this.#changed();
  }

  /** Answers the reading that has waited longest, and lets everything happen that follows from it. */
  async answer(text: string): Promise<void> {
    this.#answers.shift()?.(text);
    await turns();
  }
}
