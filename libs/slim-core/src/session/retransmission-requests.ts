import type { Cancel, Clock } from '../clock/clock.js';
import { isAfter } from './message-ids.js';
import { PeerProgress } from './peer-progress.js';
import type { SessionPolicy } from './session-policy.js';

interface Request {
  readonly cancel: Cancel;
  readonly firstSentMs: number;
  /** Its place among all requests, the first time and the last. */
  readonly firstOrder: number;
  readonly lastOrder: number;
  /** How often the sender may still answer others before this one. */
  readonly retriesLeft: number;
}

/** Asks one sender for missing messages until they come, a limit is reached, or nobody wants them any more. */
export class RetransmissionRequests {
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #events: { ask(id: number): void; giveUp(id: number): void };
  readonly #requests = new Map<number, Request>();
  readonly #progress: PeerProgress;
  #lastOrder = 0;

  constructor(
    clock: Clock,
    policy: SessionPolicy,
    events: { ask(id: number): void; giveUp(id: number): void },
  ) {
    this.#clock = clock;
    this.#policy = policy;
    this.#events = events;
    this.#progress = new PeerProgress(policy);
  }

  /** Asks at once, and again at every interval in which the sender does not answer others. */
  start(id: number): void {
    if (this.#requests.has(id)) return;
    const order = (this.#lastOrder += 1);
    const firstSentMs = this.#clock.now();
    const { maxRetries: retriesLeft } = this.#policy;
    this.#arm(id, { firstSentMs, firstOrder: order, lastOrder: order, retriesLeft });
    this.#events.ask(id);
  }

  /** The message came, or is known to be lost. */
  stop(id: number): void {
    const request = this.#requests.get(id);
    if (!request) return;
    request.cancel();
    this.#requests.delete(id);
    this.#progress.answered(request.firstOrder, this.#clock.now());
  }

  /** Ids that are asked for, the oldest first. */
  get pending(): readonly number[] {
    return [...this.#requests.keys()].toSorted((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  close(): void {
    for (const { cancel } of this.#requests.values()) cancel();
    this.#requests.clear();
  }

  #arm(id: number, request: Omit<Request, 'cancel'>): void {
    const expire = (): void => this.#expire(id, request);
    const cancel = this.#clock.schedule(this.#policy.intervalMs, expire);
    this.#requests.set(id, { ...request, cancel });
  }

  #expire(id: number, request: Omit<Request, 'cancel'>): void {
    const judgement = this.#progress.judge(request, this.#clock.now());
    const isPassedOver = judgement === 'passed-over';
    if (judgement === 'gone' || (isPassedOver && request.retriesLeft === 0)) {
      this.#requests.delete(id);
      return this.#events.giveUp(id);
    }
    if (judgement === 'wait') return this.#arm(id, request);
    this.#arm(id, {
      ...request,
      lastOrder: (this.#lastOrder += 1),
      retriesLeft: isPassedOver ? request.retriesLeft - 1 : request.retriesLeft,
    });
    this.#events.ask(id);
  }
}
