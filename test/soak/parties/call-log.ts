import { SlimError } from '@nestjs-slim/core';
import { SlimException } from 'nestjs-slim';
import { lastValueFrom, type Observable } from 'rxjs';

/** How the calls of one client ended. */
export interface CallOutcome {
  readonly from: string;
  readonly answered: number;
  /** Events that the client was told to have arrived, by number. */
  readonly arrived: readonly number[];
  readonly items: number;
  readonly streams: number;
  /** Calls that failed, by what went wrong and the code of the error. */
  readonly failed: Readonly<Record<string, number>>;
  /** Answers that were wrong, and failures without a code. */
  readonly wrong: readonly string[];
}

/** Holds every call of a client against what it was promised: its answer, or an error with a code. */
export class CallLog {
  readonly from: string;
  readonly #arrived: number[] = [];
  readonly #failed: Record<string, number> = {};
  readonly #wrong: string[] = [];
  #answered = 0;
  #items = 0;
  #streams = 0;

  constructor(from: string) {
    this.from = from;
  }

  get outcome(): CallOutcome {
    return {
      ...{ from: this.from, answered: this.#answered, arrived: this.#arrived },
      ...{ items: this.#items, streams: this.#streams },
      ...{ failed: this.#failed, wrong: this.#wrong },
    };
  }

  /** 0 stands for a request that the service refuses. */
  async request(call: Promise<number | undefined>, expected: number): Promise<void> {
    try {
      const answer = await call;
      if (answer === expected) this.#answered += 1;
      else this.#wrong.push(`a request was answered with ${answer}, not ${expected}`);
    } catch (reason) {
      const isRefusal = reason instanceof SlimException && reason.code === 'nothing-to-add';
      if (isRefusal && expected === 0) this.#answered += 1;
      else this.#fail('request', reason);
    }
  }

  async event(number: number, sent: Observable<unknown>): Promise<void> {
    try {
      await lastValueFrom(sent, { defaultValue: undefined });
      this.#arrived.push(number);
    } catch (reason) {
      this.#fail('event', reason);
    }
  }

  async stream(items: AsyncIterable<number>, length: number): Promise<void> {
    let next = 0;
    try {
      for await (const item of items) {
        if (item !== next) this.#wrong.push(`a stream gave ${item} in place of ${next}`);
        next = item + 1;
        this.#items += 1;
      }
      if (next === length) this.#streams += 1;
      else this.#wrong.push(`a stream ended in order after ${next} of ${length}`);
    } catch (reason) {
      this.#fail('stream', reason);
    }
  }

  #fail(what: string, reason: unknown): void {
    const isTyped = reason instanceof SlimError || reason instanceof SlimException;
    if (!isTyped) this.#wrong.push(`a ${what} failed with ${String(reason)}`);
    const key = isTyped ? `${what} ${reason.code}` : what;
    this.#failed[key] = (this.#failed[key] ?? 0) + 1;
  }
}
