import { expect, jest } from '@jest/globals';
import type { INestMicroservice, LoggerService } from '@nestjs/common';
import type { AsyncMicroserviceOptions, CustomStrategy, WritePacket } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SlimClient, SlimServer, slimMicroservice } from 'nestjs-slim';
import { lastValueFrom } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { ourNetworks } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';

const log = new Log();

/** A microservice whose strategy is that server, however Nest is told so. */
async function microservice(
  stage: Stage,
  options: CustomStrategy | AsyncMicroserviceOptions,
  logger: LoggerService | false = false,
): Promise<INestMicroservice> {
  const module = await Test.createTestingModule({ controllers: [SumsController] }).compile();
  return stage.closed(module.createNestMicroservice({ ...options, logger }));
}

const server = (stage: Stage): SlimServer => new SlimServer(stage.options(stage.service));

const sums = async (stage: Stage): Promise<void> => {
  const answer = await outcome(stage.client().send('sum', [1, 2]));
  expect(answer).toStrictEqual({ values: [3] });
};

acceptance('NestMicroservice', ourNetworks, {
  'strategy is used instead of the factory': async (stage) => {
    const strategy = server(stage);
    const app = await microservice(stage, { strategy });
    await app.listen();
    expect(app.unwrap()).toBe(strategy.unwrap());
    await sums(stage);
  },

  'strategy from useFactory': async (stage) => {
    const strategy = server(stage);
    const app = await microservice(stage, { inject: [], useFactory: () => ({ strategy }) });
    await app.listen();
    expect(app.unwrap()).toBe(strategy.unwrap());
    await sums(stage);
  },

  'listen, unwrap and on delegate': async (stage) => {
    log.clear();
    const strategy = server(stage);
    const app = await microservice(stage, { strategy });
    app.on('status', (status: string) => log.add(status));
    expect(() => app.unwrap()).toThrow(expect.objectContaining({ code: 'link-closed' }));
    await app.listen();
    expect(log.lines).toStrictEqual(['connected']);
    expect(app.unwrap()).toBe(strategy.unwrap());
    await app.close();
    expect(log.lines).toStrictEqual(['connected', 'disconnected']);
  },

  'preRequest hook runs before the handler': async (stage) => {
    log.clear();
    const module = await stage.compile({ controllers: [SumsController] });
    const app = stage.closed(
      module.createNestMicroservice({ ...slimMicroservice(), logger: false }),
    );
    app.registerPreRequestHook((context, next) => {
      log.add(`before ${context.getHandler().name}`);
      return next();
    });
    await app.listen();
    await sums(stage);
    expect(log.lines).toStrictEqual(['before sum']);
  },

  'preRequest hook warns after init': async (stage) => {
    const warn = jest.fn();
    const logger = { log: () => undefined, error: () => undefined, warn };
    const app = await microservice(stage, { strategy: server(stage) }, logger);
    await app.listen();
    app.registerPreRequestHook((_, next) => next());
    expect(String(warn.mock.calls[0]?.[0])).toContain('preRequest hook');
  },

  'preRequest hook is chainable': async (stage) => {
    const app = await microservice(stage, { strategy: server(stage) });
    expect(app.registerPreRequestHook((_, next) => next())).toBe(app);
  },
});

/** Shows how a client treats what comes back. */
class ShowingClient extends SlimClient {
  protected override serializeError(error: unknown): unknown {
    return { seen: error };
  }

  protected override serializeResponse(response: unknown): unknown {
    return [response];
  }

  /** What a subscriber hears of those packets. */
  async hears(packets: readonly WritePacket[]): Promise<readonly unknown[]> {
    const heard: unknown[] = [];
    const observer = this.createObserver<unknown>({
      next: (value) => heard.push(value),
      error: (reason: unknown) => heard.push(['failed', reason]),
      complete: () => heard.push('completed'),
    });
    for (const packet of packets) observer(packet);
    return heard;
  }
}

acceptance('ClientProxy', ourNetworks, {
  'send is cold and connects on subscribe': async (stage) => {
    await stage.serve({ controllers: [SumsController] });
    const wire = stage.wire();
    const sum = stage.client({ node: wire }).send('sum', [1, 2]);
    expect(wire.dials).toBe(0);
    expect(await lastValueFrom(sum)).toBe(3);
    expect(wire.dials).toBe(1);
  },

  'emit connects at once': async (stage) => {
    await stage.serve({ controllers: [SumsController] });
    const wire = stage.wire();
    wire.beforeDial = async () => log.add('dialled');
    const emitted = stage.client({ node: wire }).emit('happened', {});
    await log.has('dialled');
    await outcome(emitted);
  },

  'failure to connect surfaces as an error of the stream': async (stage) => {
    const wire = stage.wire();
    wire.beforeDial = () => Promise.reject(new Error('no such host'));
    const { failed } = await outcome(stage.client({ node: wire }).send('sum', []));
    expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'link-failed' });
  },

  'pattern or data that is null is rejected': async (stage) => {
    const client = stage.client();
    for (const [pattern, data] of [
      [null, 1],
      ['sum', null],
      [undefined, 1],
      ['sum', undefined],
    ]) {
      for (const answer of [client.send(pattern, data), client.emit(pattern, data)]) {
        const { failed } = await outcome(answer);
        expect(failed?.with).toMatchObject({ message: expect.stringContaining('invalid data') });
      }
    }
  },

  'outcomes of a request: error, value, completion': async (stage) => {
    const client = stage.closed(new ShowingClient(stage.clientOptions()));
    expect(await client.hears([{ err: 'bad' }])).toStrictEqual([['failed', { seen: 'bad' }]]);
    expect(await client.hears([{ response: 1 }, { isDisposed: true }])).toStrictEqual([
      [1],
      'completed',
    ]);
    expect(await client.hears([{ response: 2, isDisposed: true }])).toStrictEqual([
      [2],
      'completed',
    ]);
  },

  'serializeError and serializeResponse are used': async (stage) => {
    await stage.serve({ controllers: [SumsController] });
    const client = stage.closed(new ShowingClient(stage.clientOptions()));
    expect(await outcome(client.send('sum', [1, 2]))).toStrictEqual({ values: [[3]] });
    expect(await outcome(client.send('filtered', {}))).toStrictEqual({
      values: [],
      failed: { with: { seen: { refused: true } } },
    });
  },
});
