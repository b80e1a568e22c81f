import type { Cancel, Clock } from '../clock/clock.js';
import type { ConnectionId } from './categories.js';

interface Wait {
  readonly missing: Set<ConnectionId>;
  readonly cancel: Cancel;
  settled(): void;
}

/**
 * Waits for replicas to confirm a subscription, for a bounded time. A replica that let such a wait run out
 * is not waited for again until it confirms something, so that a silent one costs one subscriber a moment,
 * and the others nothing.
 */
export class PeerAcks {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waits = new Map<bigint, Wait>();
  readonly #silent = new Set<ConnectionId>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Calls `settled` once all of them confirmed that id, went away, or let the time run out. */
  wait(id: bigint, peers: Iterable<ConnectionId>, settled: () => void): void {
    const missing = new Set([...peers].filter((peer) => !this.#silent.has(peer)));
    if (missing.size === 0 || this.#waits.has(id)) return settled();
    const cancel = this.#clock.schedule(this.#timeoutMs, () => {
      for (const peer of missing) this.#silent.add(peer);
      this.#end(id);
    });
    this.#waits.set(id, { missing, cancel, settled });
  }

  /** A replica answered, in whatever way: it knows what it will know. */
  answered(id: bigint, peer: ConnectionId): void {
    this.#silent.delete(peer);
    this.excuse(id, peer);
  }

  /** A replica went away. */
  lost(peer: ConnectionId): void {
    this.#silent.delete(peer);
    for (const id of [...this.#waits.keys()]) this.excuse(id, peer);
  }

  /** There is nothing left that a replica would have to confirm under that id. */
  excuse(id: bigint, peer: ConnectionId): void {
    const wait = this.#waits.get(id);
    if (wait?.missing.delete(peer) && wait.missing.size === 0) this.#end(id);
  }

  #end(id: bigint): void {
    const wait = this.#waits.get(id);
    this.#waits.delete(id);
    wait?.cancel();
    wait?.settled();
  }
}
