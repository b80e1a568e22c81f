import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BadGatewayException,
  BadRequestException,
  Catch,
  ConflictException,
  Controller,
  ForbiddenException,
  GatewayTimeoutException,
  Get,
  GoneException,
  HttpException,
  ImATeapotException,
  InternalServerErrorException,
  MethodNotAllowedException,
  NotFoundException,
  NotImplementedException,
  ParseIntPipe,
  PayloadTooLargeException,
  PreconditionFailedException,
  RequestTimeoutException,
  ServiceUnavailableException,
  StandardSchemaValidationPipe,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type LoggerService,
  type NestInterceptor,
  type PipeTransform,
  type RpcExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { IsInt, IsString } from 'class-validator';
import type { AddressInfo } from 'node:net';
import { concat, of, throwError, type Observable } from 'rxjs';
import { HttpExceptionsFilter } from './http-exceptions.filter.js';
import { SlimClient } from './slim-client.js';
import { SlimException } from './slim-exception.js';
import { slimMicroservice } from './slim-microservice.js';
import { SlimModule } from './slim.module.js';
import type { ItemStream } from './streams/item-stream.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

const details = { sku: 'A-7', left: [0, 1], none: null };

class OutOfStock extends SlimException {
  constructor() {
    const cause = new Error('a secret of the database');
    super({ code: 'out-of-stock', message: 'no "A-7" left', retryable: true, details, cause });
  }
}

const fail = (): never => {
  throw new OutOfStock();
};

class FailingGuard implements CanActivate {
  canActivate = fail;
}

class FailingPipe implements PipeTransform {
  transform = fail;
}

class FailingInterceptor implements NestInterceptor {
  intercept = fail;
}

@Catch()
class FailingFilter implements RpcExceptionFilter {
  catch(): Observable<never> {
    return throwError(() => new OutOfStock());
  }
}

@Catch(SlimException)
class SpreadingFilter implements RpcExceptionFilter<SlimException> {
  catch(exception: SlimException): Observable<never> {
    return throwError(() => ({ ...(exception.getError() as object), extra: 1 }));
  }
}

class Order {
  @IsString()
  sku!: string;

  @IsInt()
  amount!: number;
}

/** As Zod, Valibot and others have it. */
const positive = {
  '~standard': {
    version: 1,
    vendor: 'spec',
    validate: (value: unknown) =>
      typeof value === 'number' && value > 0
        ? { value }
        : { issues: [{ message: 'expected a positive number', path: ['amount'] }] },
  },
} as const;

@Controller()
class ShopController {
  @MessagePattern('handler')
  handler(): never {
    throw new OutOfStock();
  }

  @MessagePattern('promise')
  async promise(): Promise<never> {
    throw new OutOfStock();
  }

  @MessagePattern('observable')
  observable(): Observable<number> {
    return concat(
      of(1),
      throwError(() => new OutOfStock()),
    );
  }

  @MessagePattern('generator')
  async *generator(): AsyncGenerator<number> {
    yield 1;
    throw new OutOfStock();
  }

  @UseGuards(FailingGuard)
  @MessagePattern('guard')
  guard(): void {
    // Its guard fails.
  }

  @UsePipes(FailingPipe)
  @MessagePattern('pipe')
  pipe(@Payload() _data: unknown): void {
    // Its pipe fails.
  }

  @UseInterceptors(FailingInterceptor)
  @MessagePattern('interceptor')
  interceptor(): void {
    // Its interceptor fails.
  }

  @UseFilters(FailingFilter)
  @MessagePattern('filter')
  filter(): never {
    throw new Error('a secret');
  }

  @UseFilters(SpreadingFilter)
  @MessagePattern('spread')
  spread(): never {
    throw new OutOfStock();
  }

  @MessagePattern('rpc')
  rpc(): never {
    throw new RpcException({ code: 'out-of-stock', message: 'no mark', retryable: true });
  }

  @MessagePattern('no-json')
  noJson(): never {
    throw new SlimException({ code: 'out-of-stock', message: 'none left', details: { left: 0n } });
  }

  @MessagePattern('bug')
  bug(): never {
    throw new Error('a secret');
  }

  @MessagePattern('order')
  order(@Payload(new ValidationPipe()) order: Order): string {
    return order.sku;
  }

  @MessagePattern('amount')
  amount(@Payload(ParseIntPipe) amount: number): number {
    return amount;
  }

  @UsePipes(new StandardSchemaValidationPipe())
  @MessagePattern('positive')
  positive(@Payload({ schema: positive }) amount: number): number {
    return amount;
  }

  @MessagePattern('status')
  status(which: number): never {
    throw Object.assign(thrown[which] ?? new Error('no such exception'), { stack: 'a secret' });
  }

  @MessagePattern('stream')
  async stream(@Payload() items: ItemStream<number>): Promise<number> {
    let sum = 0;
    for await (const item of items) sum += item;
    return sum;
  }

  @Get()
  web(): never {
    throw new NotFoundException('no such page');
  }
}

const thrown: readonly HttpException[] = [
  new BadRequestException(['sku must be a string']),
  new UnauthorizedException(),
  new ForbiddenException(),
  new NotFoundException('no such order'),
  new MethodNotAllowedException(),
  new RequestTimeoutException(),
  new ConflictException({ version: 7 }),
  new GoneException(),
  new PreconditionFailedException(),
  new PayloadTooLargeException(),
  new ImATeapotException(),
  new HttpException('too many', 429),
  new InternalServerErrorException(),
  new NotImplementedException(),
  new BadGatewayException(),
  new ServiceUnavailableException(),
  new GatewayTimeoutException(),
];

const isSame = (failure: unknown): void => {
  expect(failure).toBeInstanceOf(SlimException);
  const { code, message, retryable, details: came, name } = failure as SlimException;
  expect({ code, message, retryable, details: came, name }).toStrictEqual({
    code: 'out-of-stock',
    message: 'no "A-7" left',
    retryable: true,
    details,
    name: 'SlimException',
  });
  expect(JSON.stringify((failure as SlimException).getError())).not.toContain('secret');
  expect(failure).not.toHaveProperty('cause');
};

describe('a SlimException', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [ShopController] });
  });
  afterEach(() => fabric.end());

  const failure = async (pattern: string): Promise<unknown> =>
    (await outcome(fabric.client().send(pattern, {}))).failed?.with;

  it.each(['handler', 'promise', 'guard', 'pipe', 'interceptor', 'filter'])(
    'thrown by a %s is the same at the caller',
    async (pattern) => {
      const reason = await failure(pattern);
      expect(reason).toBeInstanceOf(SlimException);
      isSame(reason);
    },
  );

  it.each(['observable', 'generator'])('in the middle of an %s, too', async (pattern) => {
    const { values, failed } = await outcome(fabric.client().send(pattern, {}));
    expect(values).toStrictEqual([1]);
    isSame(failed?.with);
  });

  it('is thrown by request() and stream(), after the items before it', async () => {
    const client = fabric.client();
    isSame(await client.request('handler', {}).catch((reason: unknown) => reason));
    const items: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const item of client.stream('generator', {})) items.push(item);
    };
    isSame(await read().catch((reason: unknown) => reason));
    expect(items).toStrictEqual([1]);
  });

  it('whose body a filter copies is a plain object', async () => {
    expect(await failure('spread')).toStrictEqual({
      status: 'error',
      code: 'out-of-stock',
      message: 'no "A-7" left',
      retryable: true,
      details,
      extra: 1,
    });
  });

  it('is not what becomes of an RpcException, whatever it holds', async () => {
    const held = { code: 'out-of-stock', message: 'no mark', retryable: true };
    expect(await failure('rpc')).toStrictEqual(held);
  });

  it('with details that JSON cannot express says that', async () => {
    expect(await failure('no-json')).toMatchObject({ code: 'malformed-frame', retryable: false });
  });

  it('may be rebuilt by a client class of the application', async () => {
    class ShopClient extends SlimClient {
      protected override serializeError(err: unknown): unknown {
        return err instanceof SlimException ? `shop: ${err.code}` : err;
      }
    }
    const client = new ShopClient(fabric.options('acme/tests/shop'), billing);
    fabric.endWith(() => client.close());
    const { failed } = await outcome(client.send('handler', {}));
    expect(failed?.with).toBe('shop: out-of-stock');
    await expect(client.request('handler', {})).rejects.toBe('shop: out-of-stock');
  });
});

describe('HttpExceptionsFilter', () => {
  let fabric: Fabric;
  const logged: unknown[] = [];
  const logger: LoggerService = {
    log: () => undefined,
    warn: () => undefined,
    error: (what: unknown) => logged.push(what),
  };
  const filter = { provide: APP_FILTER, useClass: HttpExceptionsFilter };
  beforeEach(async () => {
    logged.length = 0;
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const serve = (): Promise<unknown> =>
    fabric.serve({ controllers: [ShopController], providers: [filter] }, {}, logger);
  const failure = async (pattern: string, data: unknown): Promise<unknown> =>
    (await outcome(fabric.client().send(pattern, data))).failed?.with;

  it('tells the caller what a ValidationPipe found', async () => {
    await serve();
    const found = await failure('order', { amount: 'many' });
    expect(found).toBeInstanceOf(SlimException);
    expect(found).toMatchObject({
      code: 'invalid-argument',
      message: 'Bad Request Exception',
      retryable: false,
      details: {
        statusCode: 400,
        message: ['sku must be a string', 'amount must be an integer number'],
      },
    });
    const right = await outcome(fabric.client().send('order', { sku: 'A-7', amount: 1 }));
    expect(right).toStrictEqual({ values: ['A-7'] });
    expect(logged).toStrictEqual([]);
  });

  it.each([
    ['amount', 'many', 'Validation failed (numeric string is expected)'],
    ['positive', -1, ['amount: expected a positive number']],
  ])('tells the caller what the pipe of "%s" found', async (pattern, data, message) => {
    await serve();
    expect(await failure(pattern, data)).toMatchObject({
      code: 'invalid-argument',
      details: { statusCode: 400, message },
    });
  });

  it('has a code for every status', async () => {
    await serve();
    const client = fabric.client();
    const told: unknown[] = [];
    for (const which of thrown.keys()) {
      const { failed } = await outcome(client.send('status', which));
      const { code, retryable } = (failed?.with ?? {}) as Partial<SlimException>;
      told.push([thrown[which]?.getStatus(), code, retryable]);
    }
    expect(told).toStrictEqual([
      [400, 'invalid-argument', false],
      [401, 'unauthenticated', false],
      [403, 'permission-denied', false],
      [404, 'not-found', false],
      [405, 'unimplemented', false],
      [408, 'timeout', true],
      [409, 'conflict', false],
      [410, 'not-found', false],
      [412, 'failed-precondition', false],
      [413, 'message-too-large', false],
      [418, 'invalid-argument', false],
      [429, 'resource-exhausted', true],
      [500, 'internal', false],
      [501, 'unimplemented', false],
      [502, 'unavailable', true],
      [503, 'unavailable', true],
      [504, 'timeout', true],
    ]);
  });

  it('gives the body of the exception as details, where it is more than a text', async () => {
    await serve();
    expect(await failure('status', 6)).toMatchObject({ details: { version: 7 } });
    expect(await failure('status', 11)).toMatchObject({ message: 'too many', details: undefined });
  });

  it('leaves every other error to Nest, which logs it once', async () => {
    await serve();
    expect(await failure('bug', {})).toStrictEqual({
      status: 'error',
      message: 'Internal server error',
    });
    expect(logged).toHaveLength(1);
    isSame(await failure('handler', {}));
  });

  it('leaves the HTTP side of a hybrid application alone', async () => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing))],
      controllers: [ShopController],
      providers: [filter],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    app.connectMicroservice(slimMicroservice(), { inheritAppConfig: true });
    fabric.endWith(() => app.close());
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.json()]).toStrictEqual([
      404,
      { statusCode: 404, message: 'no such page', error: 'Not Found' },
    ]);
    expect(await failure('order', {})).toMatchObject({ code: 'invalid-argument' });
  });

  it('is no obstacle to a stream that a ValidationPipe meets', async () => {
    const pipe = { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) };
    await fabric.serve({ controllers: [ShopController], providers: [pipe] });
    const items = of(1, 2, 3);
    expect(await outcome(fabric.client().send('stream', items))).toStrictEqual({ values: [6] });
  });
});
