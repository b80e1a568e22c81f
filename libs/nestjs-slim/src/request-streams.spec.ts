import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { ManualClock } from '@nestjs-slim/core/testing';
import { Readable } from 'node:stream';
import { concat, defer, finalize, from, map, NEVER, of, range, Subject, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import type { SlimContext } from './slim-context.js';
import { SlimException } from './slim-exception.js';
import { SlimSignal } from './slim-parameters.js';
import type { SlimClient } from './slim-client.js';
import { SlimRecordBuilder, type SlimRecord } from './slim-record.js';
import type { ItemStream } from './streams/item-stream.js';
import { Log } from './testing/spec-log.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

const log = new Log();
const count = (length: number): number[] => Array.from({ length }, (_, index) => index);

async function* generate(items: Iterable<number>): AsyncGenerator<number> {
  try {
    yield* items;
  } finally {
    log.add('source: finally');
  }
}

function* naturals(): Generator<number> {
  for (let next = 0; ; next += 1) yield next;
}

/** An observable that says who listens. */
const watched = (source: Observable<number>): Observable<number> =>
  defer(() => {
    log.add('source: subscribed');
    return concat(of(0), source);
  }).pipe(finalize(() => log.add('source: unsubscribed')));

const foreign = (data: unknown): SlimRecord =>
  new SlimRecordBuilder(data).setPayloadType('text/plain').build();

/** Text in quotes, for an error that handlers may let through. */
function told(reason: unknown): string {
  return JSON.stringify(reason instanceof SlimException ? reason.code : reason);
}

@Controller()
class SumController {
  @MessagePattern('sum')
  async sum(@Payload() items: ItemStream<number>, @Ctx() context: SlimContext): Promise<number> {
    let sum = 0;
    context.getSignal().addEventListener('abort', () => log.add('handler: aborted'));
    try {
      for await (const item of items) {
        sum += item;
        log.add(`handler: ${item}`);
      }
      log.add('handler: end');
    } catch (reason) {
      log.add(`handler: ${told(reason)}`);
      throw reason;
    }
    return sum;
  }

  @MessagePattern('doubled')
  doubled(@Payload() items: ItemStream<number>): Observable<number> {
    return items.pipe(map((item) => item * 2));
  }

  @MessagePattern('echo')
  async *echo(@Payload() items: ItemStream<number>): AsyncGenerator<number> {
    try {
      for await (const item of items) yield item;
    } finally {
      log.add('handler: finally');
    }
  }

  @MessagePattern('first')
  async first(@Payload() items: ItemStream<number>): Promise<number> {
    for await (const item of items) return item;
    return -1;
  }

  @MessagePattern('deaf')
  async deaf(): Promise<string> {
    return 'did not listen';
  }

  @MessagePattern('throws')
  async throws(@Payload() items: ItemStream<number>): Promise<never> {
    for await (const item of items) {
      throw new SlimException({ code: 'enough', message: `after ${item}` });
    }
    throw new RpcException('nothing came');
  }

  @MessagePattern('silent')
  async silent(@Payload() _: unknown, @SlimSignal() signal: AbortSignal): Promise<never> {
    signal.addEventListener('abort', () => log.add('handler: aborted'));
    log.add('handler: begun');
    return new Promise(() => undefined);
  }

  @MessagePattern('restless')
  async *restless(
    @Payload() _: unknown,
    @SlimSignal() signal: AbortSignal,
  ): AsyncGenerator<number> {
    signal.addEventListener('abort', () => log.add('handler: aborted'));
    try {
      yield* naturals();
    } finally {
      log.add('handler: finally');
    }
  }

  @EventPattern<string>('happened')
  happened(): void {
    log.add('an event');
  }
}

let fabric: Fabric;
beforeEach(() => log.clear());
afterEach(() => fabric.end());

describe('a request that is a stream', () => {
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [SumController] });
  });

  it.each<[string, () => unknown]>([
    ['an observable', () => from(count(300))],
    ['a generator', () => generate(count(300))],
    ['a stream of Node.js', () => Readable.from(count(300))],
    ['a record with one', () => new SlimRecordBuilder(from(count(300))).build()],
  ])('of %s arrives in order, once each', async (_, source) => {
    expect(await fabric.client().request('sum', source())).toBe(44_850);
    const wanted = [...count(300).map((item) => `handler: ${item}`), 'handler: end'];
    expect(log.lines.filter((line) => line.startsWith('handler'))).toStrictEqual(wanted);
  });

  it('may be empty', async () => {
    expect(await fabric.client().request('sum', from([]))).toBe(0);
  });

  it.each(['doubled', 'echo'])('is answered by "%s" item by item, in order', async (pattern) => {
    const factor = pattern === 'doubled' ? 2 : 1;
    const { values } = await outcome(fabric.client().send(pattern, range(0, 300)));
    expect(values).toStrictEqual(count(300).map((item) => item * factor));
  });

  it('is a conversation: what is asked next may depend on what was answered', async () => {
    const questions = new Subject<number>();
    const answers: number[] = [];
    for await (const answer of fabric.client().stream<number>('echo', concat(of(1), questions))) {
      answers.push(answer);
      if (answer < 50) questions.next(answer * 2);
      else questions.complete();
    }
    expect(answers).toStrictEqual([1, 2, 4, 8, 16, 32, 64]);
  });

  it.each(['first', 'deaf', 'throws'])('is stopped when "%s" has answered', async (pattern) => {
    const answers = await outcome(fabric.client().send(pattern, watched(NEVER)));
    const expected = {
      first: { values: [0] },
      deaf: { values: ['did not listen'] },
      throws: { values: [], failed: { with: expect.objectContaining({ code: 'enough' }) } },
    };
    expect(answers).toStrictEqual(expected[pattern as keyof typeof expected]);
    if (pattern !== 'deaf') await log.has('source: unsubscribed');
  });

  it('runs the end of a generator that is not read to its end', async () => {
    expect(await fabric.client().request('first', generate(naturals()))).toBe(0);
    await log.has('source: finally');
  });

  it('that fails makes the stream of the handler fail the same way', async () => {
    const broken = new SlimException({ code: 'unplugged', message: 'no disk', retryable: true });
    const source = concat(
      of(1),
      throwError(() => broken),
    );
    const { failed } = await outcome(fabric.client().send('sum', source));
    expect(log.lines).toStrictEqual(['handler: 1', 'handler: "unplugged"']);
    // The handler lets it through.
    expect(failed?.with).toBeInstanceOf(SlimException);
    expect(failed?.with).toMatchObject({ code: 'unplugged', message: 'no disk', retryable: true });
  });

  it('with an item that cannot be sent fails, and the handler is stopped', async () => {
    const { failed } = await outcome(fabric.client().send('sum', concat(of(1, 2n), NEVER)));
    expect(failed?.with).toMatchObject({ code: 'malformed-frame' });
    await log.has('handler: 1', 'handler: aborted');
  });

  it.each([
    ['nowhere', 'no handler for'],
    ['happened', 'takes events only'],
  ])('to "%s" is refused, and its source is not touched', async (pattern, message) => {
    const { failed } = await outcome(fabric.client().send(pattern, watched(NEVER)));
    expect(failed?.with).toMatchObject({
      code: 'no-handler',
      message: expect.stringContaining(message),
    });
    expect(log.lines).toStrictEqual([]);
  });

  it.each<[string, (client: SlimClient) => Observable<unknown>]>([
    ['an event', (client) => client.emit('happened', of(1))],
    ['a foreign event', (client) => client.emit(billing, foreign(of(1)))],
    ['a foreign request', (client) => client.send(billing, foreign(of(1)))],
  ])('is not what %s can be', async (_, tell) => {
    const { failed } = await outcome(tell(fabric.client()));
    expect(failed?.with).toMatchObject({ code: 'malformed-frame' });
  });
});

describe('cancelling', () => {
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [SumController] });
  });

  it.each<[string, Observable<number>]>([
    ['silent', NEVER],
    ['out of credit', concat(range(1, 500), NEVER)],
  ])('unsubscribes from a source that is %s', async (_, source) => {
    const subscription = fabric.client().send('silent', watched(source)).subscribe();
    await log.has('handler: begun', 'source: subscribed');
    subscription.unsubscribe();
    await expect(log.has('handler: aborted', 'source: unsubscribed')).resolves.toBeUndefined();
  });

  it('unsubscribes from a source whose reader waits for more', async () => {
    const subscription = fabric.client().send('sum', watched(NEVER)).subscribe();
    await log.has('handler: 0');
    subscription.unsubscribe();
    // The second is what the reader of the handler is told, so that it ends.
    await expect(
      log.has('source: unsubscribed', 'handler: aborted', 'handler: "aborted"'),
    ).resolves.toBeUndefined();
  });

  it('destroys a stream of Node.js that has nothing to read', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined });
    source.on('close', () => log.add('source: closed'));
    source.push(1);
    const subscription = fabric.client().send('sum', source).subscribe();
    await log.has('handler: 1');
    subscription.unsubscribe();
    await expect(log.has('source: closed')).resolves.toBeUndefined();
  });

  it('before anything was sent leaves no request behind', async () => {
    const client = fabric.client();
    client.send('silent', {}).subscribe().unsubscribe();
    expect(await client.request('deaf', {})).toBe('did not listen');
    expect(log.lines).toStrictEqual([]);
  });

  it('by leaving the loop runs the end of the generator', async () => {
    for await (const item of fabric.client().stream('restless', {})) if (item === 3) break;
    await expect(log.has('handler: aborted', 'handler: finally')).resolves.toBeUndefined();
  });

  it('by return ends a read that waits, and the request', async () => {
    const answer = fabric.client().stream('silent', {});
    const read = answer.next();
    await log.has('handler: begun');
    expect(await answer.return?.()).toStrictEqual({ done: true, value: undefined });
    expect(await read).toStrictEqual({ done: true, value: undefined });
    await log.has('handler: aborted');
  });

  it('of what was never read asks nothing', async () => {
    const client = fabric.client();
    const answer = client.stream('silent', {});
    await answer.return?.();
    expect(await answer.next()).toStrictEqual({ done: true, value: undefined });
    expect(await client.request('deaf', {})).toBe('did not listen');
    expect(log.lines).toStrictEqual([]);
  });

  it('by a signal fails the request, and aborts that of the handler', async () => {
    const abortion = new AbortController();
    const record = new SlimRecordBuilder({}).setSignal(abortion.signal).build();
    const answer = fabric.client().request('silent', record);
    await log.has('handler: begun');
    const reason = new Error('changed my mind');
    abortion.abort(reason);
    await expect(answer).rejects.toMatchObject({ code: 'aborted', cause: reason });
    await log.has('handler: aborted');
    await expect(fabric.client().request('silent', record)).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('of a conversation stops both sides', async () => {
    const source = generate(naturals());
    for await (const item of fabric.client().stream('echo', source)) if (item === 5) break;
    await expect(log.has('source: finally', 'handler: finally')).resolves.toBeUndefined();
  });
});

describe('a stream whose session ends', () => {
  beforeEach(async () => {
    fabric = await Fabric.start();
  });

  it('because the caller closes is over on both sides', async () => {
    await fabric.serve({ controllers: [SumController] });
    const client = fabric.client();
    const answer = outcome(client.send('sum', watched(NEVER)));
    await log.has('handler: 0');
    await client.close();
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
    await log.has('source: unsubscribed', 'handler: aborted', 'handler: "session-closed"');
  });

  it('because the server closes is over on both sides, after the time to drain', async () => {
    const app = await fabric.serve({ controllers: [SumController] }, { drainMs: 0 });
    const answer = outcome(fabric.client().send('sum', watched(NEVER)));
    await log.has('handler: 0');
    await app.close();
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
    await log.has('source: unsubscribed', 'handler: aborted', 'handler: "session-closed"');
  });

  it('is drained when the server closes: what was begun comes to its end', async () => {
    const app = await fabric.serve({ controllers: [SumController] });
    const source = new Subject<number>();
    const answer = outcome(fabric.client().send('sum', concat(of(1), source)));
    await log.has('handler: 1');
    const closing = app.close();
    source.next(2);
    source.complete();
    expect(await answer).toStrictEqual({ values: [3] });
    await closing;
  });

  it('is not asked again elsewhere once items of it are gone', async () => {
    const app = await fabric.serve({ controllers: [SumController] }, { drainMs: 0 });
    const record = new SlimRecordBuilder(watched(NEVER)).setIdempotent().build();
    const answer = outcome(fabric.client().send('sum', record));
    await log.has('handler: 0');
    await app.close();
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
    expect(log.lines.filter((line) => line === 'source: unsubscribed')).toHaveLength(1);
  });
});

describe('the time limit of a request that is a stream', () => {
  let clock: ManualClock;
  beforeEach(async () => {
    // The MLS library compares lifetimes with the clock of the machine.
    clock = new ManualClock(Date.now());
    fabric = await Fabric.start(clock);
    await fabric.serve({ controllers: [SumController] });
  });

  it('is none unless it is set', async () => {
    const source = new Subject<number>();
    const client = fabric.client({ requestTimeoutMs: 500 });
    const answer = outcome(client.send('sum', concat(of(1), source)));
    await log.has('handler: 1');
    clock.advance(5_000);
    source.complete();
    expect(await answer).toStrictEqual({ values: [1] });
  });

  it('holds on both sides when it is set', async () => {
    const record = new SlimRecordBuilder(watched(NEVER)).setTimeoutMs(700).build();
    const answer = outcome(fabric.client().send('sum', record));
    await log.has('handler: 0');
    clock.advance(700);
    expect((await answer).failed?.with).toMatchObject({ code: 'timeout' });
    await log.has('source: unsubscribed', 'handler: aborted', 'handler: "timeout"');
  });
});
