import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type RpcExceptionFilter,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import type { Channel } from '@nestjs-slim/core';
import { EMPTY, of, tap, throwError, type Observable } from 'rxjs';
import { SlimContext } from '../slim-context.js';
import { Fabric } from '../testing/spec-fabric.js';
import { Log } from '../testing/spec-log.js';
import {
  ChannelClosed,
  ChannelMessage,
  ParticipantJoined,
  ParticipantLeft,
  SlimChannel,
} from './channel-decorators.js';

const log = new Log();
const roomName = 'acme/ops/room';

@Injectable()
class Words {
  readonly forbidden = 'spam';
}

@Injectable()
class NoSpam implements CanActivate {
  constructor(private readonly words: Words) {}

  canActivate(host: ExecutionContext): boolean {
    const context = host.switchToRpc().getContext<SlimContext>();
    const sender = context instanceof SlimContext ? context.getIdentity().subject : 'nobody';
    log.add(`guard in ${host.getClass().name}.${host.getHandler().name} of ${host.getType()}`);
    return host.switchToRpc().getData() !== this.words.forbidden && sender !== 'mallory';
  }
}

@Injectable()
class Listening implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (host.switchToRpc().getData() === 'nothing') return EMPTY;
    return next.handle().pipe(tap((value) => log.add(`intercepted ${String(value)}`)));
  }
}

@Injectable()
class Upper implements PipeTransform {
  transform(value: unknown): unknown {
    return typeof value === 'string' ? value.toUpperCase() : value;
  }
}

@Catch(RangeError)
class RangeFilter implements RpcExceptionFilter<RangeError> {
  catch(error: RangeError, host: ArgumentsHost): Observable<unknown> {
    log.add(`filter ${error.message} of ${String(host.switchToRpc().getData())}`);
    return error.message === 'PASS' ? of('fine') : throwError(() => new Error('filtered'));
  }
}

class Participant {
  @ChannelMessage()
  @UseGuards(NoSpam)
  @UsePipes(Upper)
  @UseInterceptors(Listening)
  @UseFilters(RangeFilter)
  said(@Payload() text: string, @Ctx() context: SlimContext): string {
    if (text === 'OUT' || text === 'PASS') throw new RangeError(text);
    if (text === 'FAIL') throw new TypeError(text);
    log.add(`said ${text} ${context.isForeign()}`);
    return text.toLowerCase();
  }

  @ChannelMessage()
  async *generated(@Payload() text: unknown): AsyncGenerator<string> {
    log.add(`generator began with ${String(text)}`);
    yield 'a value that goes nowhere';
    log.add('generator ended');
  }
}

@SlimChannel({ name: roomName })
class ProviderParticipant extends Participant {}

@SlimChannel({ name: roomName })
@Controller()
class ControllerParticipant extends Participant {}

@SlimChannel({ name: roomName })
class UndecoratedParticipant {
  @ChannelMessage()
  @UsePipes(Upper)
  said(...args: unknown[]): void {
    log.add(`undecorated ${JSON.stringify(args)}`);
  }

  @ParticipantJoined()
  @ParticipantLeft()
  @ChannelClosed()
  changed(): never {
    log.add('changed');
    throw new Error('changed');
  }
}

class GlobalGuard implements CanActivate {
  canActivate(): boolean {
    log.add('global guard');
    return true;
  }
}

@Catch()
class GlobalFilter implements RpcExceptionFilter {
  catch(error: Error): Observable<never> {
    log.add(`global filter ${error.message}`);
    return throwError(() => error);
  }
}

describe.each<[string, Type]>([
  ['provider', ProviderParticipant],
  ['controller', ControllerParticipant],
])('a handler of a channel in a %s', (kind, type) => {
  let fabric: Fabric;
  let channel: Channel;
  const failures = jest.fn();
  beforeEach(async () => {
    log.clear();
    failures.mockClear();
    fabric = await Fabric.start();
    const app = await fabric.serve(
      {
        [`${kind}s`]: [type],
        ...(kind === 'provider' ? { providers: [type, Words] } : { providers: [Words] }),
      },
      { name: 'acme/ops/agent' },
    );
    app.on('error', (reason: Error, pattern: string) => {
      failures([reason.message, pattern]);
      log.add('failed');
    });
    channel = await (await fabric.peer()).createChannel(roomName);
    await channel.invite('acme/ops/agent');
  });
  afterEach(() => fabric.end());

  const say = (text: string) => channel.publish(Buffer.from(text), { payloadType: 'text/plain' });
  const sayJson = (value: unknown) =>
    channel.publish(Buffer.from(JSON.stringify(value)), { payloadType: 'application/json' });

  it('runs through guard, interceptor and pipe, all injected', async () => {
    await sayJson('hello');
    await log.has('intercepted hello');
    const steps = log.lines.filter((line) => !line.startsWith('generator'));
    expect(steps).toStrictEqual([
      `guard in ${type.name}.said of rpc`,
      'said HELLO true',
      'intercepted hello',
    ]);
  });

  it('is not called when a guard says no, which is told', async () => {
    await sayJson('spam');
    await log.has('failed', 'generator began with spam');
    expect(failures).toHaveBeenCalledWith(['Forbidden resource', roomName]);
    expect(log.lines).not.toContain('said SPAM true');
  });

  it('has its errors filtered, and told when they stay errors', async () => {
    await sayJson('pass');
    await log.has('filter PASS of pass');
    await sayJson('out');
    await log.has('filter OUT of out', 'failed');
    await sayJson('fail');
    await sayJson('on');
    await log.has('said ON true');
    expect(failures.mock.calls.map(([failure]) => failure)).toStrictEqual([
      ['filtered', roomName],
      ['FAIL', roomName],
    ]);
  });

  it('may be skipped by an interceptor', async () => {
    await sayJson('nothing');
    await sayJson('something');
    await log.has('said SOMETHING true');
    expect(log.lines).not.toContain('said NOTHING true');
    expect(failures).not.toHaveBeenCalled();
  });

  it('may be one of several, and a generator', async () => {
    await say('words');
    await log.has('generator began with words', 'generator ended');
    expect(failures).not.toHaveBeenCalled();
  });
});

describe('channel handlers', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    log.clear();
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  it('run through what the application has for all, wherever it comes from', async () => {
    const app = await fabric.serve(
      {
        providers: [
          ControllerParticipant,
          Words,
          { provide: APP_GUARD, useClass: GlobalGuard },
          { provide: APP_FILTER, useClass: GlobalFilter },
        ],
      },
      { name: 'acme/ops/agent' },
    );
    expect(app.get(ControllerParticipant)).toBeInstanceOf(ControllerParticipant);
    const channel = await (await fabric.peer()).createChannel(roomName);
    await channel.invite('acme/ops/agent');
    await channel.publish(Buffer.from('"fail"'), { payloadType: 'application/json' });
    await log.has('global guard', 'global filter FAIL');
  });

  it('without parameter decorators get the payload alone, through the pipes', async () => {
    const errors: string[] = [];
    const app = await fabric.serve(
      { providers: [UndecoratedParticipant] },
      { name: 'acme/ops/agent' },
    );
    app.on('error', ({ message }: Error) => errors.push(message));
    const channel = await (await fabric.peer()).createChannel(roomName);
    await channel.invite('acme/ops/agent');
    await channel.publish(Buffer.from('"hello"'), { payloadType: 'application/json' });
    await log.has('undecorated ["HELLO"]');
    // Not JSON, though it says so: dropped, and nothing else is lost.
    const dropped = new Promise<Error>((resolve) => app.on('dropped', resolve));
    await channel.publish(Buffer.from('{'), { payloadType: 'application/json' });
    expect(await dropped).toMatchObject({ code: 'malformed-frame' });
    const garbage = new Promise<Error>((resolve) => app.on('dropped', resolve));
    await channel.publish(Buffer.from([0xff]), { payloadType: 'application/vnd.nestjs-slim.v1' });
    expect(await garbage).toMatchObject({ code: 'malformed-frame' });
    await channel.close();
    await app.close();
    // One method may be there for several things.
    expect(log.lines.filter((line) => line === 'changed')).toHaveLength(1);
    expect(errors).toStrictEqual(['changed']);
  });
});
