import type { Cancel, Clock } from '../clock/clock.js';
import { isAfter } from './message-ids.js';
import { PeerProgress } from './peer-progress.js';
import type { SessionPolicy } from './session-policy.js';

/** What asking one sender needs of its owner. */
export interface RetransmissionEvents {
  ask(id: number): void;
  giveUp(id: number): void;
  /** False while nothing that is asked could arrive; that time does not count. */
  isConnected(): boolean;
}

interface Request {
  readonly cancel: Cancel;
  /** Undefined after there was no link, until it is asked again. */
  readonly firstSentMs: number | undefined;
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
  readonly #events: RetransmissionEvents;
  readonly #requests = new Map<number, Request>();
  readonly #progress: PeerProgress;
  #lastOrder = 0;

  constructor(clock: Clock, policy: SessionPolicy, events: RetransmissionEvents) {
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

  /** True while that message is asked for. */
  has(id: number): boolean {
    return this.#requests.has(id);
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
    if (!this.#events.isConnected()) return this.#arm(id, { ...request, firstSentMs: undefined });
    const now = this.#clock.now();
    const { firstSentMs = now, lastOrder } = request;
    const isAnew = request.firstSentMs === undefined;
    const judgement = isAnew ? 'repeat' : this.#progress.judge({ firstSentMs, lastOrder }, now);
    const isPassedOver = judgement === 'passed-over';
    if (judgement === 'gone' || (isPassedOver && request.retriesLeft === 0)) {
      this.#requests.delete(id);
      return this.#events.giveUp(id);
    }
    if (judgement === 'wait') return this.#arm(id, request);
    this.#arm(id, {
      ...request,
      firstSentMs,
      lastOrder: (this.#lastOrder += 1),
      retriesLeft: isPassedOver ? request.retriesLeft - 1 : request.retriesLeft,
    });
    this.#events.ask(id);
  }
}
