import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { firstValueFrom, from, map, NEVER, Observable, take, toArray } from 'rxjs';
import type { SlimContext } from './slim-context.js';
import { Fabric } from './testing/spec-fabric.js';
import { outcome, Signal } from './testing/spec-outcome.js';

class Doubling implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(map((value: unknown) => (typeof value === 'number' ? value * 2 : value)));
  }
}

const count = (length: number): number[] => Array.from({ length }, (_, index) => index);

let started = new Signal<AbortSignal>();
let stopped = new Signal<string>();
let produced = 0;

@Controller()
class StreamController {
  @MessagePattern('observable')
  observable(length: number): Observable<number> {
    return from(count(length));
  }

  @UseInterceptors(Doubling)
  @MessagePattern('doubled')
  doubled(length: number): Observable<number> {
    return from(count(length));
  }

  @MessagePattern('generator')
  async *generator(length: number): AsyncGenerator<number> {
    yield* count(length);
  }

  @UseInterceptors(Doubling)
  @MessagePattern('iterable')
  iterable(length: number): AsyncIterable<number> {
    return later(count(length));
  }

  @MessagePattern('large')
  large(length: number): Observable<Uint8Array> {
    return from(count(length)).pipe(map((n) => new Uint8Array(16_384).fill(n)));
  }

  @MessagePattern('endless')
  async *endless(): AsyncGenerator<number> {
    try {
      for (produced = 0; ; produced += 1) yield produced;
    } finally {
      stopped.fire('returned');
    }
  }

  @MessagePattern('silent')
  silent(@Payload() _: unknown, @Ctx() context: SlimContext): Observable<never> {
    const signal = context.getSignal();
    signal.addEventListener('abort', () => stopped.fire(String(signal.reason)));
    started.fire(signal);
    return NEVER;
  }

  @MessagePattern('stuck')
  async stuck(@Payload() _: unknown, @Ctx() context: SlimContext): Promise<never> {
    const signal = context.getSignal();
    signal.addEventListener('abort', () => stopped.fire(String(signal.reason)));
    started.fire(signal);
    return new Promise(() => undefined);
  }
}

/** The values of a list as an async iterable that is no generator. */
function later(values: readonly number[]): AsyncIterable<number> {
  return {
    async *[Symbol.asyncIterator]() {
      yield* values;
    },
  };
}

describe('a stream of answers', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    started = new Signal();
    stopped = new Signal();
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [StreamController] });
  });
  afterEach(() => fabric.end());

  it.each(['observable', 'generator'])('of "%s" arrives in order, once each', async (pattern) => {
    const answers = await outcome(fabric.client().send(pattern, 300));
    expect(answers).toStrictEqual({ values: count(300) });
  });

  it('goes through interceptors, value by value', async () => {
    const answers = await outcome(fabric.client().send('doubled', 5));
    expect(answers).toStrictEqual({ values: [0, 2, 4, 6, 8] });
  });

  it('of an async iterable is flattened behind an interceptor too', async () => {
    const answers = await outcome(fabric.client().send('iterable', 5));
    expect(answers).toStrictEqual({ values: [0, 1, 2, 3, 4] });
  });

  it('of large values arrives whole', async () => {
    const { values } = await outcome(fabric.client().send('large', 100));
    expect(values).toStrictEqual(count(100).map((n) => new Uint8Array(16_384).fill(n)));
  });

  it('is not asked for more than can be published, and stops when nobody listens', async () => {
    const values = fabric.client().send<number>('endless', {}).pipe(take(3), toArray());
    expect(await firstValueFrom(values)).toStrictEqual([0, 1, 2]);
    expect(await stopped.fired).toBe('returned');
    // Without the bound, a generator that never waits would have taken the whole process.
    expect(produced).toBeLessThan(100);
  });

  it.each(['silent', 'stuck'])(
    'of "%s" that is unsubscribed aborts the signal of its handler',
    async (pattern) => {
      const subscription = fabric.client().send(pattern, {}).subscribe();
      const signal = await started.fired;
      expect(signal.aborted).toBe(false);
      subscription.unsubscribe();
      expect(await stopped.fired).toBe('SlimError: the caller cancelled the request');
    },
  );

  it('aborts the signal of its handler when the caller is gone', async () => {
    const client = fabric.client();
    const answer = outcome(client.send('silent', {}));
    await started.fired;
    await client.close();
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
    expect(await stopped.fired).toBe('SlimError: the caller closed the session');
  });
});
