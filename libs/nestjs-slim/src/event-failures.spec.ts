import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, Scope, type LoggerService } from '@nestjs/common';
import { CONTEXT, EventPattern, RpcException, type RequestContext } from '@nestjs/microservices';
import { EMPTY, NEVER, concat, of, throwError, type Observable } from 'rxjs';
import { SlimParam } from './slim-parameters.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { Log } from './testing/spec-log.js';
import { outcome } from './testing/spec-outcome.js';

const log = new Log();

@Controller()
class TroubledController {
  @EventPattern<string>('order.paid')
  endless(): Observable<never> {
    log.add('endless');
    return NEVER;
  }

  @EventPattern<string>('order.paid')
  forgotten(): Promise<never> {
    log.add('forgotten');
    return new Promise(() => undefined);
  }

  @EventPattern<string>('order.*')
  empty(): Observable<never> {
    log.add('empty');
    return EMPTY;
  }

  @EventPattern<string>('order.:what')
  throwing(@SlimParam('what') what: string): never {
    log.add(`throwing ${what}`);
    throw new RpcException('thrown');
  }

  @EventPattern<string>('**')
  async rejecting(): Promise<never> {
    log.add('rejecting');
    throw new Error('a secret');
  }

  @EventPattern<string>(':thing.paid')
  late(): Observable<number> {
    log.add('late');
    return concat(
      of(1, 2),
      throwError(() => new RpcException('after two')),
    );
  }

  @EventPattern<string>('*.*')
  async *generator(): AsyncGenerator<number> {
    log.add('generator');
    yield 1;
    throw new RpcException('generated');
  }
}

@Injectable({ scope: Scope.REQUEST })
class Scoped {
  constructor(@Inject(CONTEXT) readonly request: RequestContext<unknown>) {}
}

@Controller()
class ScopedController {
  constructor(private readonly scoped: Scoped) {}

  @EventPattern<string>('order.**')
  handle(@SlimParam('**') what: string): void {
    log.add(`scoped ${what} ${JSON.stringify(this.scoped.request.getData())}`);
  }

  @EventPattern<string>('order.**')
  fail(): never {
    throw new RpcException('scoped');
  }
}

describe('an event with handlers that fail or never end', () => {
  let fabric: Fabric;
  const lines: string[] = [];
  const logger: LoggerService = {
    log: () => undefined,
    warn: () => undefined,
    error: (line: unknown) => lines.push(String(line)),
  };
  beforeEach(async () => {
    log.clear();
    lines.length = 0;
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  it('runs all the others, and reports each failure as it happens', async () => {
    const service = await fabric.serve(
      { controllers: [TroubledController, ScopedController], providers: [Scoped] },
      { drainMs: 0 },
      logger,
    );
    const patterns = new Set<string>();
    service.on('error', (error: { readonly message: string }, pattern: string) => {
      patterns.add(pattern);
      log.add(`error ${error.message}`);
    });
    await outcome(fabric.client().emit('order.paid', { id: 7 }));
    await log.has(
      'endless',
      'forgotten',
      'empty',
      'throwing paid',
      'rejecting',
      'late',
      'generator',
      'scoped paid {"id":7}',
    );
    const messages = ['thrown', 'Internal server error', 'after two', 'generated', 'scoped'];
    await log.has(...messages.map((message) => `error ${message}`));
    expect(log.lines.filter((line) => line.startsWith('error'))).toHaveLength(messages.length);
    expect([...patterns]).toStrictEqual([`${billing}#order.paid`]);
    for (const message of messages) {
      expect(lines).toContain(`An event handler of "${billing}#order.paid" failed: ${message}`);
    }
  });
});
