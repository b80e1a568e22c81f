import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Scope, type LoggerService } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { EMPTY, Subject, firstValueFrom, of, tap, throwError, type Observable } from 'rxjs';
import { SlimContext } from './slim-context.js';
import { SlimRecordBuilder } from './slim-record.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

/** What handlers did, in the order they did it. */
let told = new Subject<unknown>();

@Controller()
class EventController {
  @EventPattern<string>('paid')
  paid(@Payload() data: unknown, @Ctx() context: SlimContext): void {
    told.next(['paid', data, context.getMetadata()]);
  }

  @EventPattern<string>('shipped')
  empty(): Observable<never> {
    return EMPTY;
  }

  @EventPattern<string>('shipped')
  first(data: unknown): Observable<unknown> {
    return of(data).pipe(tap(() => told.next(['first', data])));
  }

  @EventPattern<string>('shipped')
  failing(): never {
    throw new RpcException('cannot ship');
  }

  @EventPattern<string>('shipped')
  failingStream(): Observable<never> {
    return throwError(() => new Error('a secret'));
  }

  @EventPattern<string>(`${billing}#shipped`)
  async *generator(data: unknown): AsyncGenerator {
    for (let n = 0; n < 20; n += 1) yield n;
    told.next(['generator', data]);
  }

  @MessagePattern('asked')
  asked(): string {
    return 'answer';
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  @EventPattern<string>('shipped')
  scoped(data: unknown): void {
    told.next(['scoped', data]);
  }
}

describe('an event', () => {
  let fabric: Fabric;
  const logged: string[] = [];
  const logger: LoggerService = {
    log: () => undefined,
    warn: () => undefined,
    error: (line: unknown) => logged.push(String(line)),
  };

  beforeEach(async () => {
    told = new Subject();
    logged.length = 0;
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = () =>
    fabric.serve({ controllers: [EventController, ScopedController] }, {}, logger);

  it('reaches its handler, with the metadata beside it', async () => {
    await serve();
    const next = firstValueFrom(told);
    const record = new SlimRecordBuilder({ id: 7 }).setMetadata({ tenant: 'a' }).build();
    expect(await outcome(fabric.client().emit('paid', record))).toStrictEqual({
      values: [undefined],
    });
    expect(await next).toStrictEqual(['paid', { id: 7 }, { tenant: 'a' }]);
  });

  it('reaches every handler of its pattern, whatever the others do', async () => {
    const service = await serve();
    const done = new Set<unknown>();
    const errors: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      const check = (): void => void (done.size === 3 && errors.length === 2 && resolve());
      told.subscribe((what) => {
        done.add(Array.isArray(what) ? what[0] : what);
        check();
      });
      service.on('error', (error: unknown, pattern: string) => {
        errors.push([error, pattern]);
        check();
      });
    });
    await outcome(fabric.client().emit('shipped', 7));
    await all;
    expect(done).toStrictEqual(new Set(['first', 'generator', 'scoped']));
    expect(errors).toStrictEqual(
      expect.arrayContaining([
        [{ status: 'error', message: 'cannot ship' }, `${billing}#shipped`],
        [{ status: 'error', message: 'Internal server error' }, `${billing}#shipped`],
      ]),
    );
    expect(logged.join('\n')).toContain(`"${billing}#shipped" failed: cannot ship`);
  });

  it.each([
    ['nowhere', 'there is no handler for it'],
    ['asked', 'it answers requests only'],
  ])('to "%s" is logged and ignored', async (pattern, why) => {
    await serve();
    const client = fabric.client();
    await outcome(client.emit(pattern, 1));
    await firstValueFrom(client.send('asked', 1));
    expect(logged).toStrictEqual([`An event to "${billing}#${pattern}" was ignored: ${why}.`]);
  });

  it('that cannot be delivered fails, and is told to on("error") when nobody subscribed', async () => {
    const client = fabric.client({ discoveryMs: 20 });
    const noRoute = expect.objectContaining({ name: 'SlimError', code: 'no-route' });
    expect(await outcome(client.emit('paid', 1))).toStrictEqual({
      values: [],
      failed: { with: noRoute },
    });
    const onError = jest.fn();
    const error = new Promise<void>((resolve) => {
      client.on('error', (...args) => {
        onError(...args);
        resolve();
      });
    });
    client.emit('paid', 1);
    await error;
    expect(onError.mock.calls).toStrictEqual([[noRoute, 'paid']]);
  });
});
