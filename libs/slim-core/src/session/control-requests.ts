import type { Cancel, Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import type { Incoming } from './incoming.js';

/** One control message that wants an answer. */
export interface ControlRequest {
  readonly messageId: number;
  /** Type of the answer, which repeats the message id. */
  readonly answeredBy: number;
  /** Sends it, the first time and at every repetition; a repetition is signed anew. */
  transmit(): void;
  readonly intervalMs: number;
  readonly maxRetries: number;
  /** Ends the wait from outside. */
  readonly signal?: AbortSignal | undefined;
  /** What the wait fails with when no answer comes. */
  unanswered(): SlimError;
}

interface Waiting {
  readonly answeredBy: number;
  readonly settle: { resolve(answer: Incoming): void; reject(reason: SlimError): void };
  stop(): void;
}

/** Control messages on their way, each repeated until it is answered (reference: sessions 13). */
export class ControlRequests {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #closed: SlimError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SlimError what the request, its signal or `close` says. */
  request(request: ControlRequest): Promise<Incoming> {
    const { signal, messageId } = request;
    if (this.#closed) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      let cancel: Cancel = () => undefined;
      const onAbort = (): void => this.#fail(messageId, aborted(signal));
      const arm = (retriesLeft: number): void => {
        cancel = this.#clock.schedule(request.intervalMs, () => {
          if (retriesLeft === 0) return this.#fail(messageId, request.unanswered());
          arm(retriesLeft - 1);
          request.transmit();
        });
      };
      const stop = (): void => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const { answeredBy } = request;
      this.#waiting.set(messageId, { answeredBy, settle: { resolve, reject }, stop });
      signal?.addEventListener('abort', onAbort, { once: true });
      arm(request.maxRetries);
      request.transmit();
    });
  }

  /** Takes a message that may be an answer. Returns false when nobody waits for it. */
  answer(incoming: Incoming): boolean {
    const { messageId, messageType } = incoming.session;
    const waiting = this.#waiting.get(messageId);
    if (waiting?.answeredBy !== messageType) return false;
    this.#waiting.delete(messageId);
    waiting.stop();
    waiting.settle.resolve(incoming);
    return true;
  }

  /** Fails everything that waits, and everything asked from now on. */
  close(reason: SlimError): void {
    this.#closed ??= reason;
    for (const messageId of [...this.#waiting.keys()]) this.#fail(messageId, reason);
  }

  #fail(messageId: number, reason: SlimError): void {
    const waiting = this.#waiting.get(messageId);
    this.#waiting.delete(messageId);
    waiting?.stop();
    waiting?.settle.reject(reason);
  }
}

function aborted(signal: AbortSignal | undefined): SlimError {
  return SlimError.from(signal?.reason, 'aborted', 'the caller gave up');
}
