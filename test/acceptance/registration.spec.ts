import { expect, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Injectable,
  Logger,
  Scope,
  UseFilters,
  type LoggerService,
  type RpcExceptionFilter,
  type Type,
} from '@nestjs/common';
import {
  EventPattern,
  MessagePattern,
  RpcException,
  Transport,
  type CustomStrategy,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SLIM_TRANSPORT, SlimServer } from 'nestjs-slim';
import { EMPTY, of, throwError, type Observable } from 'rxjs';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance, type Play } from './acceptance.js';
import { ourNetworks } from './networks.js';
import type { Stage } from './stage.js';

const custom = Symbol('custom');
const log = new Log();

@Controller()
class TransportsController {
  @MessagePattern(['one', 'two'])
  any(): void {}

  @MessagePattern('slim', SLIM_TRANSPORT, { weight: 7 })
  slim(): void {}

  @MessagePattern('tcp', Transport.TCP)
  tcp(): void {}

  @MessagePattern('custom', custom)
  custom(): void {}
}

/** The patterns, and what came with them, that a server of a transport is given. */
async function added(
  stage: Stage,
  transportId: symbol | undefined,
): Promise<readonly (readonly unknown[])[]> {
  const strategy = stage.closed(new SlimServer(stage.options(stage.service)));
  Reflect.set(strategy, 'transportId', transportId);
  const addHandler = jest.spyOn(strategy, 'addHandler');
  const module = await Test.createTestingModule({ controllers: [TransportsController] }).compile();
  const options: CustomStrategy = { strategy };
  const app = stage.closed(module.createNestMicroservice({ ...options, logger: false }));
  await app.init();
  return addHandler.mock.calls.map(([pattern, , isEvent, extras]) => [pattern, isEvent, extras]);
}

const patterns =
  (transportId: symbol | undefined, expected: readonly string[]): Play =>
  async (stage) => {
    const calls = await added(stage, transportId);
    expect(calls.map(([pattern]) => pattern)).toStrictEqual(expected);
  };

/** Three handlers of one event, of which one completes empty. */
function three(empty: number, scope: Scope): Type {
  const handled = (index: number): Observable<unknown> => {
    log.add(`${index} of three`);
    return index === empty ? EMPTY : of(index);
  };

  @Controller({ scope })
  class Three {
    @EventPattern<string>('happened')
    first(): Observable<unknown> {
      return handled(0);
    }

    @EventPattern<string>('happened')
    second(): Observable<unknown> {
      return handled(1);
    }

    @EventPattern<string>('happened')
    third(): Observable<unknown> {
      return handled(2);
    }
  }
  return Three;
}

const eachEmpty =
  (scope: Scope): Play =>
  async (stage) => {
    for (const empty of [0, 1, 2]) {
      log.clear();
      const service = await stage.serve({ controllers: [three(empty, scope)] });
      await outcome(stage.client().emit('happened', {}));
      await log.has('0 of three', '1 of three', '2 of three');
      expect(log.lines).toHaveLength(3);
      await service.close();
    }
  };

@Controller()
class FailingController {
  @EventPattern<string>('happened')
  fine(): void {
    log.add('fine');
  }

  @EventPattern<string>('happened')
  failing(): Observable<never> {
    return throwError(() => new RpcException('not that'));
  }

  @MessagePattern('asked')
  asked(): never {
    throw new RpcException('for the caller');
  }
}

@Injectable({ scope: Scope.REQUEST })
class Refusing {
  constructor() {
    throw new RpcException('cannot be made');
  }
}

@Catch(RpcException)
class NotingFilter implements RpcExceptionFilter<RpcException> {
  catch(reason: RpcException): Observable<never> {
    log.add(`filter saw ${reason.message}`);
    return throwError(() => 'filtered');
  }
}

@UseFilters(NotingFilter)
@Controller()
class ScopedFailingController {
  constructor(readonly refusing: Refusing) {}

  @MessagePattern('asked')
  asked(): void {}
}

acceptance('Registration', ourNetworks, {
  'one addHandler for each pattern': async (stage) => {
    const calls = await added(stage, SLIM_TRANSPORT);
    expect(calls.filter(([pattern]) => pattern === 'one' || pattern === 'two')).toHaveLength(2);
  },

  'handlers of the same transport only': patterns(SLIM_TRANSPORT, ['one', 'two', 'slim']),
  'all handlers without a transport id': patterns(undefined, [
    'one',
    'two',
    'slim',
    'tcp',
    'custom',
  ]),
  'only its own with a custom symbol': patterns(custom, ['one', 'two', 'custom']),

  'extras are passed': async (stage) => {
    expect(await added(stage, SLIM_TRANSPORT)).toContainEqual(['slim', false, { weight: 7 }]);
  },

  'failures are reported once, of event handlers only': async (stage) => {
    log.clear();
    const errors: string[] = [];
    const logger: LoggerService = {
      log: () => undefined,
      warn: () => undefined,
      error: (line: unknown) => errors.push(String(line)),
    };
    const service = await stage.serve({ controllers: [FailingController] }, {}, logger);
    service.on('error', () => log.add('failed'));
    const client = stage.client();
    await outcome(client.send('asked', {}));
    expect(errors).toStrictEqual([]);
    await outcome(client.emit('happened', {}));
    await log.has('failed');
    await outcome(client.send('asked', {}));
    expect(errors).toStrictEqual([
      `An event handler of "${stage.service}#happened" failed: not that`,
    ]);
    Logger.overrideLogger(false);
  },

  'next static handler runs when the current one completes empty: first, middle and last of three':
    eachEmpty(Scope.DEFAULT),
  'next request-scoped handler runs when the current one completes empty: first, middle and last of three':
    eachEmpty(Scope.REQUEST),

  'an event fails when one of its handlers does': async (stage) => {
    log.clear();
    const service = await stage.serve({ controllers: [FailingController] });
    service.on('error', (reason: { readonly message: string }, pattern: string) =>
      log.add(`${pattern} failed: ${reason.message}`),
    );
    await outcome(stage.client().emit('happened', {}));
    await log.has('fine', `${stage.service}#happened failed: not that`);
  },

  'failure of a request-scoped handler goes to its filters': async (stage) => {
    log.clear();
    await stage.serve({ controllers: [ScopedFailingController], providers: [Refusing] });
    expect(await outcome(stage.client().send('asked', {}))).toStrictEqual({
      values: [],
      failed: { with: 'filtered' },
    });
    expect(log.lines).toStrictEqual(['filter saw cannot be made']);
  },
});
