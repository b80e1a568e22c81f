import { describe, expect, it } from '@jest/globals';
import type { WritePacket } from '@nestjs/microservices';
import { concat, EMPTY, from, of, range, Subject, throwError, type Observable } from 'rxjs';
import { Signal } from '../testing/spec-outcome.js';
import { respondInTurn } from './answer-queue.js';

/** Every packet until one is disposed. */
function packetsOf(answers: Observable<unknown>): Promise<WritePacket[]> {
  const packets: WritePacket[] = [];
  return new Promise((resolve) => {
    respondInTurn(answers, (packet) => {
      packets.push(packet);
      if (packet.isDisposed) resolve(packets);
    });
  });
}

describe('respondInTurn', () => {
  it.each<[string, Observable<unknown>, WritePacket[]]>([
    ['nothing', EMPTY, [{ isDisposed: true }]],
    ['one value', of(0), [{ response: 0, isDisposed: true }]],
    ['a promise', from(Promise.resolve(1)), [{ response: 1, isDisposed: true }]],
    ['values', of(1, 2), [{ response: 1 }, { response: 2, isDisposed: true }]],
    ['a falsy error', throwError(() => ''), [{ err: '', isDisposed: true }]],
    [
      'an error after a value',
      concat(
        of(1),
        throwError(() => 'broken'),
      ),
      [{ response: 1 }, { err: 'broken', isDisposed: true }],
    ],
  ])('ends what gives %s once', async (_, answers, packets) => {
    expect(await packetsOf(answers)).toStrictEqual(packets);
  });

  it('ends an answer whose end comes later by a packet of its own', async () => {
    const source = new Subject<number>();
    const first = new Signal();
    const packets: WritePacket[] = [];
    const over = new Signal();
    respondInTurn(source, (packet) => {
      packets.push(packet);
      first.fire();
      if (packet.isDisposed) over.fire();
    });
    source.next(1);
    await first.fired;
    source.complete();
    await over.fired;
    expect(packets).toStrictEqual([{ response: 1 }, { isDisposed: true }]);
  });

  it('hands on one at a time', async () => {
    const log: string[] = [];
    const over = new Signal();
    respondInTurn(of(1, 2), async ({ response, isDisposed }) => {
      log.push(`begin ${response}`);
      await Promise.resolve();
      log.push(`end ${response}`);
      if (isDisposed) over.fire();
    });
    await over.fired;
    expect(log).toStrictEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('unsubscribes, and ends the answer', async () => {
    const source = new Subject<number>();
    const over = new Signal<WritePacket>();
    const subscription = respondInTurn(source, (packet) => over.fire(packet));
    subscription.unsubscribe();
    expect(await over.fired).toStrictEqual({ isDisposed: true });
    expect(source.observed).toBe(false);
  });

  it('takes as long for an item whether ten or a hundred thousand wait', async () => {
    // With a queue that moves all items for each one, this takes longer than a test may.
    expect(await packetsOf(range(0, 100_000))).toHaveLength(100_000);
  });
});
