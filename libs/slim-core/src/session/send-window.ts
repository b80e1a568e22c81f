import type { Cancel, Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import { Allowance } from './allowance.js';
import { InFlightLimit } from './in-flight-limit.js';
import { isSequential, nextMessageId } from './message-ids.js';
import { maxSpan } from './receive-window.js';
import { maxRepeats, PeerProgress } from './peer-progress.js';
import type { SessionPolicy } from './session-policy.js';

/** What a window tells its owner to do. */
export interface SendWindowEvents<Message> {
  /** Transmit for the first time, to all receivers at once. May throw to refuse the message. */
  transmit(id: number, message: Message): void;
  /** Transmit again, to those receivers whose acknowledgement stays out. */
  repeat(id: number, message: Message, receivers: readonly string[]): void;
  /** A receiver did not acknowledge a message however often it was sent. */
  unresponsive(receiver: string): void;
  /** False while the next message has to wait, until `resume`. */
  mayBegin?(): boolean;
}

/** How one message is sent. */
export interface SendOptions {
  /** Whose acknowledgements are waited for, as it is when the message goes; with none, sending is enough. */
  readonly receivers: Iterable<string>;
  /** An id outside the sequence, for a message that stands by itself. */
  readonly id?: number;
}

interface Pending<Message> {
  readonly message: Message;
  readonly missing: Set<string>;
  readonly unresponsive: string[];
  readonly settle: { resolve(): void; reject(reason: SlimError): void };
  readonly firstSentMs: number;
  /** Its place among all transmissions, the first time and the last. */
  readonly firstOrder: number;
  lastOrder: number;
  retriesLeft: number;
  /** Who got it as a reply since it was last sent, which native receivers do not acknowledge. */
  replied: Set<string> | undefined;
  /** How often it is sent once more for their sake, whatever retries are left. */
  extraLeft: number;
  dueMs: number;
}

/**
 * The reliable sender: numbers messages, repeats what is not acknowledged, keeps the last ones for
 * requests, and lets only so many be under way (reference: sessions 7.2). One timer serves all, because
 * equal intervals expire in the order they began. It runs on when nothing waits any more: to clear it and to set
 * the next costs more than all else here (bench case `Nest request/response, one at a time`).
 */
export class SendWindow<Message> {
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #events: SendWindowEvents<Message>;
  readonly #pending = new Map<number, Pending<Message>>();
  readonly #sent = new Map<number, Message>();
  readonly #progress = new Map<string, PeerProgress>();
  /** For all receivers together: when many are late, what one of them misses is not what to send. */
  readonly #repeats: Allowance;
  readonly #limit: InFlightLimit;
  readonly #waiting: (() => void)[] = [];
  readonly #idleListeners: (() => void)[] = [];
  #lastId: number;
  #lastOrder = 0;
  #timer: Cancel | undefined;
  #isResuming = false;
  #closed: SlimError | undefined;

  /** `lastId` is the last one used before, where the numbers go on. */
  constructor(
    clock: Clock,
    policy: SessionPolicy,
    events: SendWindowEvents<Message>,
    lastId: number = 0,
  ) {
    this.#lastId = lastId;
    this.#clock = clock;
    this.#policy = policy;
    this.#limit = new InFlightLimit(policy);
    this.#repeats = new Allowance(policy.intervalMs, () => maxRepeats);
    this.#events = events;
  }

  /** Number of the last message in the sequence. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Settles when nothing waits for its acknowledgement any more, however that ended. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  /**
   * Sends a message, at once or when there is room. Settles when every receiver acknowledged it, or is
   * no receiver any more.
   * @throws SlimError `not-delivered` when retries are used up, or what `close` was given.
   */
  send(message: Message, options: SendOptions): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const begin = (): void => this.#begin(message, options, { resolve, reject });
      this.#waiting.push(begin);
      this.resume();
    });
  }

  /** Sends what waits, as far as there is room. */
  resume(): void {
    // Called again from within, by a message that is done as soon as it is sent.
    if (this.#isResuming) return;
    this.#isResuming = true;
    while (this.#waiting.length > 0 && this.#hasRoom) this.#waiting.shift()?.();
    this.#isResuming = false;
  }

  get #hasRoom(): boolean {
    return this.#pending.size < this.#limit.current && (this.#events.mayBegin?.() ?? true);
  }

  /** The receiver has it. Unknown ids and receivers are ignored. */
  acknowledge(id: number, receiver: string): void {
    const pending = this.#pending.get(id);
    if (!pending?.missing.delete(receiver)) return;
    // By the first transmission, since it may be that one which arrived.
    const now = this.#clock.now();
    this.#progressOf(receiver).answered(pending.firstOrder, now);
    if (pending.missing.size === 0) this.#limit.acknowledged(pending.firstSentMs, now);
    this.#settleIfDone(id, pending);
  }

  /** A message that a receiver asks for again; undefined when it is no longer kept. */
  kept(id: number): Message | undefined {
    const message = this.#sent.get(id);
    // What is out of the sequence is for one receiver, and not asked for.
    return message ?? (isSequential(id) ? this.#pending.get(id)?.message : undefined);
  }

  /** It was sent to a receiver that asked for it, and waits for its acknowledgement as before. */
  replied(id: number, receiver: string): void {
    const pending = this.#pending.get(id);
    if (pending?.missing.has(receiver)) (pending.replied ??= new Set()).add(receiver);
  }

  /** Nobody waits for this receiver any more, because it left. */
  forget(receiver: string): void {
    this.#progress.delete(receiver);
    for (const [id, pending] of this.#pending) {
      if (pending.missing.delete(receiver)) this.#settleIfDone(id, pending);
    }
  }

  /** Fails everything that is not acknowledged, and everything sent from now on. */
  close(reason: SlimError): void {
    if (this.#closed) return;
    this.#closed = reason;
    for (const { settle } of this.#pending.values()) settle.reject(reason);
    this.#pending.clear();
    this.#sent.clear();
    this.#progress.clear();
    this.#timer?.();
    for (const begin of this.#waiting.splice(0)) begin();
    this.#whenEmpty();
  }

  #begin(
    message: Message,
    { receivers, id = nextMessageId(this.#lastId) }: SendOptions,
    settle: Pending<Message>['settle'],
  ): void {
    if (this.#closed) return settle.reject(this.#closed);
    const isNext = id === nextMessageId(this.#lastId);
    try {
      this.#events.transmit(id, message);
    } catch (reason) {
      // Refused before it left, for its size: the id is not used up, or the receiver would miss it.
      settle.reject(SlimError.from(reason, 'not-delivered'));
      return;
    }
    if (isNext) {
      this.#lastId = id;
      this.#keep(id, message);
    }
    const { maxRetries, intervalMs } = this.#policy;
    const order = (this.#lastOrder += 1);
    const firstSentMs = this.#clock.now();
    const pending = {
      message,
      settle,
      missing: new Set(receivers),
      unresponsive: [],
      firstSentMs,
      firstOrder: order,
      lastOrder: order,
      retriesLeft: maxRetries,
      replied: undefined,
      extraLeft: maxRetries + 1,
      dueMs: firstSentMs + intervalMs,
    };
    this.#pending.set(id, pending);
    if (pending.missing.size === 0) this.#settleIfDone(id, pending);
    else this.#arm();
  }

  #keep(id: number, message: Message): void {
    this.#sent.set(id, message);
    if (this.#sent.size <= maxSpan) return;
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined) this.#sent.delete(oldest);
  }

  #settleIfDone(id: number, { missing, unresponsive, settle }: Pending<Message>): void {
    if (missing.size > 0) return;
    this.#pending.delete(id);
    this.resume();
    if (this.#pending.size === 0) this.#whenEmpty();
    if (unresponsive.length === 0) return settle.resolve();
    const tries = this.#policy.maxRetries + 1;
    settle.reject(
      new SlimError('not-delivered', `message ${id} was not acknowledged after ${tries} tries`),
    );
  }

  #whenEmpty(): void {
    for (const resolve of this.#idleListeners.splice(0)) resolve();
  }

  #arm(): void {
    if (this.#timer || this.#closed) return;
    const [first] = this.#pending.values();
    if (!first) return;
    const delayMs = Math.max(0, first.dueMs - this.#clock.now());
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#timer = undefined;
      this.#expire();
      this.#arm();
    });
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [id, pending] of this.#pending) {
      if (pending.dueMs > now) return;
      pending.dueMs = now + this.#policy.intervalMs;
      // Back to the end, where the latest deadlines are.
      this.#pending.delete(id);
      this.#pending.set(id, pending);
      this.#overdue(id, pending, now);
    }
  }

  #overdue(id: number, pending: Pending<Message>, nowMs: number): void {
    this.#limit.waiting(pending.firstSentMs, nowMs);
    const [repeat, passedOver, gone] = this.#judge(pending, nowMs);
    if (passedOver.length > 0 && (pending.retriesLeft -= 1) < 0) gone.push(...passedOver.splice(0));
    passedOver.push(...this.#spare(pending, gone));
    const isAffordable = passedOver.length > 0 || (repeat.length > 0 && this.#repeats.take(nowMs));
    if (isAffordable) this.#repeat(id, pending, [...passedOver, ...repeat]);
    if (gone.length > 0) this.#giveUp(id, pending, gone);
  }

  /** Takes out of those to give up who has it perhaps, and acknowledges only the message itself. */
  #spare(pending: Pending<Message>, gone: string[]): readonly string[] {
    const { replied } = pending;
    if (!replied || pending.extraLeft === 0) return [];
    const spared = gone.filter((receiver) => replied.has(receiver));
    if (spared.length === 0) return [];
    pending.extraLeft -= 1;
    gone.splice(0, gone.length, ...gone.filter((receiver) => !replied.has(receiver)));
    return spared;
  }

  /** Who is silent, who answered what was sent later, and whom to give up. */
  #judge(pending: Pending<Message>, nowMs: number): [string[], string[], string[]] {
    const judged: [string[], string[], string[]] = [[], [], []];
    for (const receiver of pending.missing) {
      const judgement = this.#progressOf(receiver).judge(pending, nowMs);
      if (judgement === 'repeat') judged[0].push(receiver);
      else if (judgement === 'passed-over') judged[1].push(receiver);
      else if (judgement === 'gone') judged[2].push(receiver);
    }
    return judged;
  }

  #progressOf(receiver: string): PeerProgress {
    const known = this.#progress.get(receiver);
    if (known) return known;
    const progress = new PeerProgress(this.#policy);
    this.#progress.set(receiver, progress);
    return progress;
  }

  #repeat(id: number, pending: Pending<Message>, receivers: readonly string[]): void {
    pending.lastOrder = this.#lastOrder += 1;
    for (const receiver of receivers) pending.replied?.delete(receiver);
    try {
      this.#events.repeat(id, pending.message, receivers);
    } catch {
      // Refused before it left, like one that gets lost on the way; the retries end it.
    }
  }

  #giveUp(id: number, pending: Pending<Message>, receivers: readonly string[]): void {
    pending.unresponsive.push(...receivers);
    for (const receiver of receivers) pending.missing.delete(receiver);
    this.#settleIfDone(id, pending);
    for (const receiver of receivers) this.#events.unresponsive(receiver);
  }
}
