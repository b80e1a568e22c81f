import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Catch,
  Controller,
  Injectable,
  NotFoundException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type RpcExceptionFilter,
} from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { concat, map, of, throwError, type Observable } from 'rxjs';
import { SlimContext } from './slim-context.js';
import { SlimException } from './slim-exception.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

class Thrown extends Error {
  constructor(readonly value: unknown) {
    super('thrown');
  }
}

@Catch(Thrown)
class ThrownFilter implements RpcExceptionFilter<Thrown> {
  catch({ value }: Thrown): Observable<never> {
    return throwError(() => value);
  }
}

@Injectable()
class NoGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return !(context.switchToRpc().getContext() instanceof SlimContext);
  }
}

class RejectingPipe implements PipeTransform {
  transform(): never {
    throw new BadRequestException('not a number');
  }
}

class DoublingPipe implements PipeTransform<number, number> {
  transform(value: number): number {
    return value * 2;
  }
}

class WrappingInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => ({ wrapped: value })));
  }
}

const falsy: Readonly<Record<string, unknown>> = {
  'empty text': '',
  zero: 0,
  false: false,
  null: null,
  undefined,
};

@Controller()
class FailingController {
  @MessagePattern('rpc-text')
  rpcText(): never {
    throw new RpcException('no such invoice');
  }

  @MessagePattern('rpc-object')
  rpcObject(): never {
    throw new RpcException({ code: 'NOT_FOUND', id: 7 });
  }

  @MessagePattern('plain')
  plain(): never {
    throw new Error('a secret');
  }

  @MessagePattern('http')
  async http(): Promise<never> {
    throw new NotFoundException('a secret');
  }

  @MessagePattern('stream')
  stream(): Observable<number> {
    return concat(
      of(1, 2),
      throwError(() => new RpcException('broken off')),
    );
  }

  @MessagePattern('generator')
  async *generator(): AsyncGenerator<number> {
    yield 1;
    throw new RpcException('broken off');
  }

  @MessagePattern('bad-generator')
  async *badGenerator(): AsyncGenerator<number> {
    yield 1;
    throw new Error('a secret');
  }

  @UseFilters(ThrownFilter)
  @MessagePattern('filtered')
  filtered(which: string): never {
    throw new Thrown(which in falsy ? falsy[which] : { filtered: which });
  }

  @UseFilters(ThrownFilter)
  @MessagePattern('filtered-error')
  filteredError(): never {
    throw new Thrown(Object.assign(new Error('meant to be seen'), { code: 'SEEN' }));
  }

  @UseGuards(NoGuard)
  @MessagePattern('guarded')
  guarded(): string {
    return 'never';
  }

  @UsePipes(RejectingPipe)
  @MessagePattern('piped')
  piped(@Payload() value: number): number {
    return value;
  }

  @UseInterceptors(WrappingInterceptor)
  @MessagePattern('doubled')
  doubled(@Payload(DoublingPipe) value: number): number {
    return value;
  }

  @MessagePattern('cycle')
  cycle(): unknown {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    return cycle;
  }

  @MessagePattern('too-large')
  tooLarge(): Uint8Array {
    return new Uint8Array(5 * 1024 * 1024);
  }

  @EventPattern<string>('happened')
  happened(): void {
    /* an event handler answers nothing */
  }
}

describe('a request that fails', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [FailingController] });
  });
  afterEach(() => fabric.end());

  const failure = async (pattern: string, data: unknown = {}): Promise<unknown> =>
    (await outcome(fabric.client().send(pattern, data))).failed?.with;

  it.each([
    ['rpc-text', { status: 'error', message: 'no such invoice' }],
    ['rpc-object', { code: 'NOT_FOUND', id: 7 }],
    ['plain', { status: 'error', message: 'Internal server error' }],
    ['http', { status: 'error', message: 'Internal server error' }],
    ['guarded', { status: 'error', message: 'Forbidden resource' }],
    ['piped', { status: 'error', message: 'Internal server error' }],
    ['filtered-error', { status: 'error', message: 'meant to be seen', code: 'SEEN' }],
  ])('in "%s" gives %p', async (pattern, error) => {
    expect(await failure(pattern)).toStrictEqual(error);
  });

  it.each([...Object.keys(falsy), 'anything else'])(
    'with %s fails with exactly that',
    async (which) => {
      const expected = which in falsy ? falsy[which] : { filtered: which };
      expect(await outcome(fabric.client().send('filtered', which))).toStrictEqual({
        values: [],
        failed: { with: expected },
      });
    },
  );

  it.each([
    ['stream', [1, 2], 'broken off'],
    ['generator', [1], 'broken off'],
    ['bad-generator', [1], 'Internal server error'],
  ])('in the middle of "%s" gives the values before', async (pattern, values, message) => {
    expect(await outcome(fabric.client().send(pattern, {}))).toStrictEqual({
      values,
      failed: { with: { status: 'error', message } },
    });
  });

  it('because nobody handles it is told so at once', async () => {
    const nowhere = await failure('nowhere');
    expect(nowhere).toBeInstanceOf(SlimException);
    expect(nowhere).toMatchObject({
      message: `no handler for "${billing}#nowhere"`,
      code: 'no-handler',
      retryable: false,
    });
    expect(await failure('happened')).toMatchObject({
      message: `"${billing}#happened" takes events only`,
      code: 'no-handler',
    });
  });

  it('because its result cannot be sent is told why, and the next is answered', async () => {
    expect(await failure('cycle')).toMatchObject({ code: 'malformed-frame' });
    expect(await failure('too-large')).toMatchObject({ code: 'message-too-large' });
    expect(await outcome(fabric.client().send('doubled', 2))).toStrictEqual({
      values: [{ wrapped: 4 }],
    });
  });

  it.each(['', 'two words', 'acme/billing', 'acme/billing/invoices#', { cmd: 'sum' }])(
    'because of the pattern %p says so to the subscriber',
    async (pattern) => {
      const { failed } = await outcome(fabric.client().send(pattern, {}));
      expect(failed?.with).toMatchObject({ name: 'SlimError', code: 'invalid-name' });
    },
  );

  it('because its data cannot be sent is told why', async () => {
    expect(await failure('doubled', 1n)).toMatchObject({ code: 'malformed-frame' });
    const large = new Uint8Array(5 * 1024 * 1024);
    expect(await failure('doubled', large)).toMatchObject({ code: 'message-too-large' });
  });
});
