import type { WritePacket } from '@nestjs/microservices';
import { finalize, type Observable, type Subscription } from 'rxjs';
import { ItemQueue } from '../streams/item-queue.js';

/**
 * Hands what a handler gives to `respond`, one after the other; the last packet is disposed. It is what
 * Nest's `Server.send` does, whose queue takes quadratic time for an observable that gives much at once.
 */
export function respondInTurn(
  answers: Observable<unknown>,
  respond: (packet: WritePacket) => unknown,
): Subscription {
  const packets = new ItemQueue<WritePacket>(() => undefined);
  void handOn(packets, respond);
  return answers.pipe(finalize(() => packets.complete())).subscribe({
    next: (response) => packets.push({ response }),
    error: (err: unknown) => packets.push({ err }),
  });
}

async function handOn(
  packets: ItemQueue<WritePacket>,
  respond: (packet: WritePacket) => unknown,
): Promise<void> {
  let isDisposed = false;
  for await (const packet of packets) {
    isDisposed = packets.isDone;
    await respond(isDisposed ? { ...packet, isDisposed } : packet);
  }
  if (!isDisposed) await respond({ isDisposed: true });
}
