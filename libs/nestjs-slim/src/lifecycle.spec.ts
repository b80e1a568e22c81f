import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type PipeTransform,
  type RpcExceptionFilter,
} from '@nestjs/common';
import {
  EventPattern,
  MessagePattern,
  Payload,
  type AsyncMicroserviceOptions,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom, throwError, type Observable } from 'rxjs';
import { SlimConnection } from './slim-connection.js';
import { slimMicroservice } from './slim-microservice.js';
import { SlimModule } from './slim.module.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome } from './testing/spec-outcome.js';

let steps: string[] = [];

@Injectable()
class Steps implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly connection: SlimConnection) {}

  onModuleInit(): void {
    steps.push('init');
  }

  onApplicationBootstrap(): void {
    steps.push('bootstrap');
  }

  async onApplicationShutdown(): Promise<void> {
    steps.push(`shutdown while ${await firstValueFrom(this.connection.status)}`);
  }
}

@Controller()
class StepController {
  @MessagePattern('step')
  step(@Payload() data: unknown): unknown {
    steps.push('handled');
    return data;
  }

  @EventPattern('happened')
  happened(when: string): void {
    steps.push(`${when} happened`);
  }

  @MessagePattern('fail')
  fail(): never {
    throw new Error('a secret');
  }
}

class Guard implements CanActivate {
  canActivate(): boolean {
    steps.push('guard');
    return true;
  }
}

class Interceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    steps.push('interceptor');
    return next.handle();
  }
}

class Pipe implements PipeTransform {
  transform(value: unknown): unknown {
    steps.push('pipe');
    return value;
  }
}

class Filter implements RpcExceptionFilter {
  catch(): Observable<never> {
    steps.push('filter');
    return throwError(() => 'filtered');
  }
}

const slim: AsyncMicroserviceOptions = slimMicroservice();

describe('a microservice', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    steps = [];
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const compile = () =>
    Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(billing))],
      controllers: [StepController],
      providers: [Steps],
    }).compile();

  const ask = (data: unknown = 'x') => outcome(fabric.client().send('step', data));

  it('serves from its bootstrap to its close, and keeps the connection to the end', async () => {
    const app = (await compile()).createNestMicroservice({ ...slim, logger: false });
    await app.listen();
    expect(await ask()).toStrictEqual({ values: ['x'] });
    await app.close();
    expect(steps).toStrictEqual(['init', 'bootstrap', 'handled', 'shutdown while connected']);
    const { failed } = await outcome(fabric.client({ discoveryMs: 20 }).send('step', {}));
    expect(failed?.with).toMatchObject({ code: 'no-route' });
  });

  it('runs the global guards, interceptors, pipes and filters', async () => {
    const app = (await compile()).createNestMicroservice({ ...slim, logger: false });
    fabric.endWith(() => app.close());
    app.useGlobalGuards(new Guard()).useGlobalInterceptors(new Interceptor());
    app.useGlobalPipes(new Pipe()).useGlobalFilters(new Filter());
    await app.listen();
    steps = [];
    expect(await ask()).toStrictEqual({ values: ['x'] });
    expect(steps).toStrictEqual(['guard', 'interceptor', 'pipe', 'handled']);
    const { failed } = await outcome(fabric.client().send('fail', {}));
    expect(failed).toStrictEqual({ with: 'filtered' });
  });

  describe('in a hybrid application', () => {
    const create = async (): Promise<INestApplication> => {
      const app = (await compile()).createNestApplication({ logger: false });
      fabric.endWith(() => app.close());
      return app;
    };

    it('serves after init, connect, start, listen', async () => {
      const app = await create();
      await app.init();
      app.connectMicroservice(slim, { inheritAppConfig: true });
      await app.startAllMicroservices();
      await app.listen(0, '127.0.0.1');
      expect(await ask()).toStrictEqual({ values: ['x'] });
      await app.close();
      expect(steps).toStrictEqual(['init', 'bootstrap', 'handled', 'shutdown while connected']);
    });

    it('started before init, refuses requests and keeps events until the bootstrap', async () => {
      const app = await create();
      app.connectMicroservice(slim);
      await app.startAllMicroservices();
      const client = fabric.client();
      await outcome(client.emit('happened', 'early'));
      expect((await outcome(client.send('step', 'x'))).failed?.with).toMatchObject({
        code: 'service-starting',
        retryable: true,
      });
      const session = await (await fabric.peer()).openSession(billing);
      expect(steps).toStrictEqual([]);
      await app.init();
      expect(await outcome(client.send('step', 'x'))).toStrictEqual({ values: ['x'] });
      expect(steps).toStrictEqual(['init', 'bootstrap', 'early happened', 'handled']);
      await app.close();
      expect((await session.ended)?.code).toBe('session-closed');
    });

    it('closed before init, ends the sessions it held', async () => {
      const app = await create();
      app.connectMicroservice(slim);
      await app.startAllMicroservices();
      const session = await (await fabric.peer()).openSession(billing);
      await app.close();
      expect((await session.ended)?.code).toBe('session-closed');
    });

    it('with deferred initialization serves once, though hooks run twice', async () => {
      const app = await create();
      app.connectMicroservice(slim, { inheritAppConfig: true, deferInitialization: true });
      app.useGlobalGuards(new Guard());
      await app.startAllMicroservices();
      await app.init();
      expect(await ask()).toStrictEqual({ values: ['x'] });
      expect(steps.filter((step) => step === 'handled' || step === 'guard')).toStrictEqual([
        'guard',
        'handled',
      ]);
    });
  });
});
