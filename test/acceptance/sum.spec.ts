import { expect } from '@jest/globals';
import { Controller, Injectable } from '@nestjs/common';
import {
  ClientsModule,
  EventPattern,
  RpcException,
  type ClientProvider,
  type ClientProxy,
  type ClientsModuleOptionsFactory,
  type ClientsProviderAsyncOptions,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SlimClient, SlimRecordBuilder } from 'nestjs-slim';
import { firstValueFrom, from, lastValueFrom, reduce } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance, type Play } from './acceptance.js';
import { everyNetwork } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';

const numbers = [1, 2, 3, 4, 5];
const log = new Log();

@Controller()
class EventsController {
  @EventPattern<string>('notified')
  notified(data: unknown): void {
    log.add(`notified of ${String(data)}`);
  }

  @EventPattern<string>('shared')
  first(): void {
    log.add('first');
  }

  @EventPattern<string>('shared')
  second(): void {
    log.add('second');
  }
}

class RebuildingClient extends SlimClient {
  protected override serializeError(error: object): unknown {
    return new RpcException(error);
  }
}

const sums = { controllers: [SumsController] };

const answers15 =
  (pattern: string): Play =>
  async (stage) => {
    await stage.serve(sums);
    expect(await outcome(stage.client().send(pattern, numbers))).toStrictEqual({ values: [15] });
  };

const fails =
  (pattern: string, reason: unknown): Play =>
  async (stage) => {
    await stage.serve(sums);
    const answer = await outcome(stage.client().send(pattern, {}));
    expect(answer).toStrictEqual({ values: [], failed: { with: reason } });
  };

/** A client as an application has it injected. */
async function injected(stage: Stage, made: ClientsProviderAsyncOptions): Promise<ClientProxy> {
  const module = await Test.createTestingModule({
    imports: [ClientsModule.registerAsync([made])],
  }).compile();
  stage.closed(await module.init());
  return module.get(made.name);
}

acceptance('Sum', everyNetwork, {
  'plain result': answers15('sum'),
  'async result': answers15('async'),
  'Observable result': answers15('observable'),

  'streaming: several values, summed by the client': async (stage) => {
    await stage.serve(sums);
    const values = stage.client().send<number>('streaming', numbers);
    expect(await lastValueFrom(values.pipe(reduce((a, b) => a + b)))).toBe(15);
  },

  'concurrent: ten requests at once, each with its own answer': async (stage) => {
    await stage.serve(sums);
    const client = stage.client();
    const tens = Array.from({ length: 10 }, (_, n) => n);
    const asked = tens.map((n) => firstValueFrom(client.send<number>('async', [n, 100])));
    expect(await Promise.all(asked)).toStrictEqual(tens.map((n) => n + 100));
  },

  'pattern not found is an error, not a hang': fails(
    'nowhere',
    expect.objectContaining({ code: 'no-handler' }),
  ),
  'exception of a handler arrives as the mapped object': fails('exception', {
    code: 'NOT_FOUND',
    id: 7,
  }),
  'exception of a filter arrives as the filter gives it': fails('filtered', { refused: true }),

  'event notification': async (stage) => {
    log.clear();
    await stage.serve({ controllers: [EventsController] });
    await outcome(stage.client().emit('notified', 7));
    await log.has('notified of 7');
  },

  'event with a second handler': async (stage) => {
    log.clear();
    await stage.serve({ controllers: [EventsController] });
    await outcome(stage.client().emit('shared', 7));
    await log.has('first', 'second');
    expect(log.lines).toHaveLength(2);
  },

  'client by useFactory': async (stage) => {
    await stage.serve(sums);
    const client = await injected(stage, {
      name: 'SUMS',
      useFactory: () => ({ customClass: SlimClient, options: stage.clientOptions() }),
    });
    expect(await firstValueFrom(client.send('sum', numbers))).toBe(15);
  },

  'client by useClass': async (stage) => {
    await stage.serve(sums);
    @Injectable()
    class Options implements ClientsModuleOptionsFactory {
      createClientOptions(): ClientProvider {
        return { customClass: SlimClient, options: stage.clientOptions() };
      }
    }
    const client = await injected(stage, { name: 'SUMS', useClass: Options });
    expect(await firstValueFrom(client.send('sum', numbers))).toBe(15);
  },

  'custom client class that rebuilds RpcException, beside the standard client': async (stage) => {
    await stage.serve(sums);
    const rebuilding = await injected(stage, {
      name: 'SUMS',
      useFactory: () => ({ customClass: RebuildingClient, options: stage.clientOptions() }),
    });
    const rebuilt = (await outcome(rebuilding.send('exception', {}))).failed?.with;
    expect(rebuilt).toBeInstanceOf(RpcException);
    const plain = (await outcome(stage.client().send('exception', {}))).failed?.with;
    expect(plain).toStrictEqual((rebuilt as RpcException).getError());
  },

  'headers of the record builder, read in the handler': async (stage) => {
    await stage.serve(sums);
    const record = new SlimRecordBuilder({}).setMetadata({ tenant: 'a' }).build();
    expect(await firstValueFrom(stage.client().send('headers', record))).toStrictEqual({
      tenant: 'a',
    });
  },

  'headers of the record builder on a duplex stream': async (stage) => {
    await stage.serve(sums);
    const items = from(['one', 'two']);
    const record = new SlimRecordBuilder(items).setMetadata({ tenant: 'a' }).build();
    expect(await outcome(stage.client().send('headers-duplex', record))).toStrictEqual({
      values: ['a: one', 'a: two'],
    });
  },
});
