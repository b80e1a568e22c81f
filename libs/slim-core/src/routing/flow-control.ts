import type { Clock } from '../clock/clock.js';
import { SlimError } from '../errors/slim-error.js';
import type { Connection, Pressure } from './connection.js';
import type { NodeLimits } from './node-limits.js';

/**
 * What happens when a receiver does not read: its senders wait, so that nothing piles up, but not for
 * long, so that one slow reader does not stop the others. From then on frames for it are shed, and at
 * last its link is ended.
 */
export class FlowControl {
  readonly #clock: Clock;
  readonly #limits: Pick<NodeLimits, 'stallMs' | 'deadMs'>;

  constructor(clock: Clock, limits: Pick<NodeLimits, 'stallMs' | 'deadMs'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The receiver has no room: the sender is not read until there is, or patience ends. */
  full(receiver: Connection, sender: Connection): void {
    const { pressure } = receiver;
    if (pressure.kind === 'shedding') return;
    const waiting = pressure.kind === 'full' ? pressure.waiting : this.#fill(receiver);
    if (waiting.has(sender)) return;
    waiting.add(sender);
    sender.waitsFor.add(receiver);
    sender.link.pause();
  }

  /** The same for what no sender waits with, such as subscriptions for a replica. */
  fullOf(receiver: Connection): void {
    if (receiver.pressure.kind === 'free') this.#fill(receiver);
  }

  /** The receiver has room again. */
  drained(receiver: Connection): void {
    this.#become(receiver, { kind: 'free' });
  }

  /** The connection is gone: nobody waits for it, and it waits for nobody. */
  detach(connection: Connection): void {
    this.#become(connection, { kind: 'free' });
    for (const { pressure } of connection.waitsFor) {
      if (pressure.kind === 'full') pressure.waiting.delete(connection);
    }
    connection.waitsFor.clear();
  }

  #fill(receiver: Connection): Set<Connection> {
    const waiting = new Set<Connection>();
    const cancel = this.#clock.schedule(this.#limits.stallMs, () => this.#shed(receiver));
    receiver.pressure = { kind: 'full', waiting, cancel };
    return waiting;
  }

  #shed(receiver: Connection): void {
    const { stallMs, deadMs } = this.#limits;
    const cancel = this.#clock.schedule(Math.max(0, deadMs - stallMs), () => {
      const what = `${receiver.link.remote} did not read for ${deadMs} ms`;
      receiver.link.destroy(new SlimError('backpressure', what));
    });
    this.#become(receiver, { kind: 'shedding', cancel });
  }

  #become(receiver: Connection, next: Pressure): void {
    const { pressure } = receiver;
    receiver.pressure = next;
    if (pressure.kind !== 'free') pressure.cancel();
    if (pressure.kind !== 'full') return;
    for (const sender of pressure.waiting) {
      sender.waitsFor.delete(receiver);
      if (sender.waitsFor.size === 0) sender.link.resume();
    }
  }
}
