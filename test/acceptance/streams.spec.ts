import { expect } from '@jest/globals';
import { Controller, type LoggerService } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { SlimContext, SlimRecordBuilder, type ItemStream } from 'nestjs-slim';
import { firstValueFrom, from, take } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { everyNetwork } from './networks.js';

const count = (length: number): number[] => Array.from({ length }, (_, n) => n);
const largeBytes = 8 * 1024;
const log = new Log();
let produced = 0;

@Controller()
class StreamsController {
  @MessagePattern('large')
  async *large(length: number): AsyncGenerator<Uint8Array> {
    for (produced = 0; produced < length; produced += 1) {
      const bytes = new Uint8Array(largeBytes);
      new DataView(bytes.buffer).setUint32(0, produced);
      yield bytes;
    }
  }

  @MessagePattern('collect')
  async collect(@Payload() items: ItemStream<number>): Promise<number> {
    let sum = 0;
    for await (const item of items) sum += item;
    return sum;
  }

  @MessagePattern('duplex')
  async *duplex(@Payload() items: ItemStream<number>): AsyncGenerator<number> {
    for await (const item of items) yield item * 2;
  }

  @MessagePattern('endless')
  async *endless(@Payload() _: unknown, @Ctx() context: SlimContext): AsyncGenerator<number> {
    log.add('began');
    context.getSignal().addEventListener('abort', () => log.add('cancelled'));
    for (let n = 0; ; n += 1) yield n;
  }

  @MessagePattern('headers')
  async *headers(
    @Payload() items: ItemStream<string>,
    @Ctx() context: SlimContext,
  ): AsyncGenerator<string> {
    for await (const item of items) yield `${item} for ${context.getMetadata()['tenant']}`;
  }
}

const streams = { controllers: [StreamsController] };

acceptance('Streams', everyNetwork, {
  '1,000 large messages arrive once each and in order, under back-pressure': async (stage) => {
    await stage.serve(streams);
    let received = 0;
    let mostAhead = 0;
    for await (const bytes of stage.client().stream<Uint8Array>('large', 1_000)) {
      const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      expect([number, bytes.length]).toStrictEqual([received, largeBytes]);
      received += 1;
      mostAhead = Math.max(mostAhead, produced - received);
    }
    expect(received).toBe(1_000);
    expect(mostAhead).toBeLessThan(500);
  },

  'client stream with one reply': async (stage) => {
    await stage.serve(streams);
    const client = stage.client();
    expect(await outcome(client.send('collect', from(count(100))))).toStrictEqual({
      values: [4_950],
    });
  },

  'duplex stream': async (stage) => {
    await stage.serve(streams);
    const said: number[] = [];
    let hear: (number: number) => void = () => undefined;
    // Says the next number when the last one was answered, so that both directions are open at once.
    async function* conversation(): AsyncGenerator<number> {
      for (const n of count(10)) {
        const heard = new Promise((resolve) => (hear = resolve));
        yield n;
        said.push(n);
        await heard;
      }
    }
    const answers: number[] = [];
    for await (const answer of stage.client().stream<number>('duplex', conversation())) {
      answers.push(answer);
      hear(answer);
    }
    expect(said).toStrictEqual(count(10));
    expect(answers).toStrictEqual(count(10).map((n) => n * 2));
  },

  'cancellation is not reported as a failure': async (stage) => {
    log.clear();
    const fail = (what: unknown): void => log.add(`failed: ${String(what)}`);
    const logger: LoggerService = { log: () => undefined, warn: fail, error: fail };
    const service = await stage.serve(streams, {}, logger);
    service.on('error', fail);
    const client = stage.client();
    client.on('error', fail);
    expect(await outcome(client.send('endless', {}).pipe(take(3)))).toStrictEqual({
      values: [0, 1, 2],
    });
    await log.has('cancelled');
    expect(await firstValueFrom(client.send('collect', from([1])))).toBe(1);
    expect(log.lines).toStrictEqual(['began', 'cancelled']);
  },

  'call cancelled before its stream starts': async (stage) => {
    log.clear();
    await stage.serve(streams);
    const client = stage.client();
    client
      .send('endless', {})
      .subscribe(() => log.add('heard'))
      .unsubscribe();
    expect(await firstValueFrom(client.send('collect', from([1, 2])))).toBe(3);
    expect(log.lines).toStrictEqual([]);
  },

  'custom headers on streams': async (stage) => {
    await stage.serve(streams);
    const builder = new SlimRecordBuilder(from(['one', 'two'])).setMetadata({ tenant: 'a' });
    expect(await outcome(stage.client().send('headers', builder.build()))).toStrictEqual({
      values: ['one for a', 'two for a'],
    });
  },
});
