import type { Cancel, Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import type { Incoming } from './incoming.js';

/** One control message that wants an answer, or one from each of several receivers. */
export interface ControlRequest {
  readonly messageId: number;
  /** Types of an answer, which repeats the message id. */
  readonly answeredBy: readonly number[];
  /** Sends it, the first time and at every repetition; a repetition is signed anew. */
  transmit(): void;
  readonly intervalMs: number;
  readonly maxRetries: number;
  /** Ends the wait from outside. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly answeredBy: readonly number[];
  /** Returns false when the answer is not one that is waited for. */
  take(answer: Incoming): boolean;
  fail(reason: SlimError): void;
  /** No answer came in time. */
  expire(): void;
  stop(): void;
  /** Goes on without that receiver's answer. */
  excuse(receiver: string): void;
}

/** Control messages on their way, each repeated until it is answered (reference: sessions 13). */
export class ControlRequests {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #closed: SlimError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The first answer. @throws SlimError what `unanswered`, the signal or `close` says. */
  request(request: ControlRequest, unanswered: () => SlimError): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      this.#start(request, {
        take: (answer) => {
          this.#stop(request.messageId);
          resolve(answer);
          return true;
        },
        expire: () => reject(unanswered()),
        excuse: () => undefined,
        fail: reject,
      });
    });
  }

  /**
   * Answers of several receivers, known by the key of their name; those that are still missing when the
   * retries end, or none. `isEnough` sees each answer and may end the wait.
   * @throws SlimError what the signal or `close` says
   */
  collect(
    request: ControlRequest,
    receivers: Iterable<string>,
    isEnough: (answer: Incoming) => boolean = () => false,
  ): Promise<ReadonlySet<string>> {
    const missing = new Set(receivers);
    return new Promise((resolve, reject) => {
      if (missing.size === 0) {
        request.transmit();
        return resolve(missing);
      }
      const settle = (): void => {
        this.#stop(request.messageId);
        resolve(missing);
      };
      this.#start(request, {
        take: (answer) => {
          if (!missing.delete(answer.source.key)) return false;
          if (isEnough(answer) || missing.size === 0) settle();
          return true;
        },
        expire: () => resolve(missing),
        excuse: (receiver) => {
          if (missing.delete(receiver) && missing.size === 0) settle();
        },
        fail: reject,
      });
    });
  }

  /**
   * Hands over every answer that comes until the retries end; who will answer is not known.
   * @throws SlimError what the signal or `close` says
   */
  gather(request: ControlRequest, take: (answer: Incoming) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#start(request, {
        take: (answer) => {
          take(answer);
          return true;
        },
        expire: resolve,
        excuse: () => undefined,
        fail: reject,
      });
    });
  }

  /** Takes a message that may be an answer. Returns false when nobody waits for it. */
  answer(incoming: Incoming): boolean {
    const { messageId, messageType } = incoming.session;
    const waiting = this.#waiting.get(messageId);
    if (!waiting?.answeredBy.includes(messageType)) return false;
    return waiting.take(incoming);
  }

  /** Nobody waits for an answer of this receiver any more, where several are asked. */
  excuse(receiver: string): void {
    for (const waiting of [...this.#waiting.values()]) waiting.excuse(receiver);
  }

  /** Stops repeating one, whose answer is not needed any more. */
  cancel(messageId: number, reason: SlimError): void {
    this.#fail(messageId, reason);
  }

  /** Fails everything that waits, and everything asked from now on. */
  close(reason: SlimError): void {
    this.#closed ??= reason;
    for (const messageId of [...this.#waiting.keys()]) this.#fail(messageId, reason);
  }

  #start(request: ControlRequest, outcome: Omit<Waiting, 'answeredBy' | 'stop'>): void {
    const { signal, messageId, answeredBy } = request;
    if (this.#closed) return outcome.fail(this.#closed);
    if (signal?.aborted) return outcome.fail(aborted(signal));
    let cancel: Cancel = () => undefined;
    const onAbort = (): void => this.#fail(messageId, aborted(signal));
    const arm = (retriesLeft: number): void => {
      cancel = this.#clock.schedule(request.intervalMs, () => {
        if (retriesLeft === 0) return this.#expire(messageId);
        arm(retriesLeft - 1);
        transmit();
      });
    };
    const transmit = (): void => {
      try {
        request.transmit();
      } catch (reason) {
        // Refused before it left, for its size for one; the next try would be refused too.
        this.#fail(messageId, SlimError.from(reason, 'not-delivered'));
      }
    };
    const stop = (): void => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    this.#waiting.set(messageId, { ...outcome, answeredBy, stop });
    signal?.addEventListener('abort', onAbort, { once: true });
    arm(request.maxRetries);
    transmit();
  }

  #stop(messageId: number): Waiting | undefined {
    const waiting = this.#waiting.get(messageId);
    this.#waiting.delete(messageId);
    waiting?.stop();
    return waiting;
  }

  #expire(messageId: number): void {
    this.#stop(messageId)?.expire();
  }

  #fail(messageId: number, reason: SlimError): void {
    this.#stop(messageId)?.fail(reason);
  }
}

function aborted(signal: AbortSignal | undefined): SlimError {
  return SlimError.from(signal?.reason, 'aborted', 'the caller gave up');
}
