import type { Clock } from '../clock/clock.js';
import { maxSpan, ReceiveWindow, type Delivery } from './receive-window.js';
import { RetransmissionRequests } from './retransmission-requests.js';
import type { SessionPolicy } from './session-policy.js';

/** What a stream asks and tells its owner. */
export interface IncomingStreamEvents<Message> {
  /** Asks the sender for a message once more. */
  ask(id: number): void;
  /** False while nothing that is asked could arrive. */
  isConnected(): boolean;
  deliver(message: Message): void;
  lost(id: number): void;
}

/** What one sender sends: the messages to all in their order, and those that came to this side alone. */
export class IncomingStream<Message> {
  readonly #events: IncomingStreamEvents<Message>;
  readonly #window: ReceiveWindow<Message>;
  readonly #requests: RetransmissionRequests;
  /** Ids of the last messages that came to this side alone. */
  readonly #singles = new Set<number>();

  /** For `isResumed` see `ReceiveWindow`. */
  constructor(
    clock: Clock,
    policy: SessionPolicy,
    events: IncomingStreamEvents<Message>,
    { isResumed }: { readonly isResumed: boolean },
  ) {
    this.#events = events;
    this.#window = new ReceiveWindow({ isResumed });
    this.#requests = new RetransmissionRequests(clock, policy, {
      ask: (id) => events.ask(id),
      giveUp: (id) => this.giveUp(id),
      isConnected: () => events.isConnected(),
    });
  }

  /** See `ReceiveWindow.has`. */
  has(id: number): boolean {
    return this.#window.has(id);
  }

  /** See `ReceiveWindow.isLost`. */
  isLost(id: number): boolean {
    return this.#window.isLost(id);
  }

  hasSingle(id: number): boolean {
    return this.#singles.has(id);
  }

  /** True while the sender is asked for that message. */
  wants(id: number): boolean {
    return this.#requests.has(id);
  }

  /** Takes a message in, and asks for what is missing before it. */
  accept(id: number, message: Message): void {
    this.#requests.stop(id);
    const { deliver, missing } = this.#window.accept(id, message);
    this.#deliver(deliver);
    for (const each of missing) this.#requests.start(each);
  }

  /** Delivers a message to this side alone, at once. */
  acceptSingle(id: number, message: Message): void {
    this.#singles.add(id);
    const [oldest] = this.#singles;
    if (this.#singles.size > maxSpan && oldest !== undefined) this.#singles.delete(oldest);
    this.#events.deliver(message);
  }

  /** Goes on without a message that is missing. */
  giveUp(id: number): void {
    this.#requests.stop(id);
    this.#deliver(this.#window.giveUp(id));
  }

  /** Nobody sends what is missing any more, and what came after it was acknowledged. */
  close(): void {
    for (const id of this.#requests.pending) this.giveUp(id);
    this.#requests.close();
  }

  #deliver(deliveries: readonly Delivery<Message>[]): void {
    for (const { id, message } of deliveries) {
      if (message) {
        this.#events.deliver(message);
        continue;
      }
      this.#requests.stop(id);
      this.#events.lost(id);
    }
  }
}
