import type { WritePacket } from '@nestjs/microservices';
import { finalize, type Observable, type Subscription } from 'rxjs';
import { Fifo } from '../streams/fifo.js';

/** Takes one packet; gives a promise when the next one has to wait for it. Must not throw. */
type Respond = (packet: WritePacket) => unknown;

/**
 * Hands what a handler gives to `respond`, one after the other; the last packet is disposed. It is what
 * Nest's `Server.send` does, whose queue takes quadratic time for an observable that gives much at once.
 */
export function respondInTurn(answers: Observable<unknown>, respond: Respond): Subscription {
  const queue = new AnswerQueue(respond);
  return answers.pipe(finalize(() => queue.complete())).subscribe({
    next: (response) => queue.push({ response }),
    error: (err: unknown) => queue.push({ err }),
  });
}

/** Packets that wait for their turn. Most answers are one packet, which costs no promise. */
class AnswerQueue {
  private readonly respond: Respond;
  private readonly packets = new Fifo<WritePacket>();
  private isBusy = false;
  private isOver = false;
  private isDisposed = false;

  constructor(respond: Respond) {
    this.respond = respond;
  }

  push(packet: WritePacket): void {
    this.packets.push(packet);
    this.wake();
  }

  complete(): void {
    this.isOver = true;
    this.wake();
  }

  /** In the next microtask, when the end that comes right behind a packet is known. */
  private wake(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    queueMicrotask(this.run);
  }

  private readonly run = (): void => {
    for (let packet = this.next(); packet; packet = this.next()) {
      const pending = this.respond(packet);
      if (pending instanceof Promise) return void pending.then(this.run);
    }
    this.isBusy = false;
  };

  private next(): WritePacket | undefined {
    const packet = this.packets.take() ?? (this.isOver && !this.isDisposed ? {} : undefined);
    if (!packet || !this.isOver || this.packets.size > 0) return packet;
    this.isDisposed = true;
    return { ...packet, isDisposed: true };
  }
}
