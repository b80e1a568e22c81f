import { expect } from '@jest/globals';
import {
  Injectable,
  Logger,
  Module,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestMicroservice,
  type LoggerService,
  type NestInterceptor,
  type PipeTransform,
  type RpcExceptionFilter,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import {
  SlimModule,
  SlimServer,
  slimMicroservice,
  type SlimModuleAsyncOptions,
  type SlimOptions,
} from 'nestjs-slim';
import { throwError, type Observable } from 'rxjs';
import { outcome } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance, type Play } from './acceptance.js';
import { everyNetwork, ourNetworks } from './networks.js';
import type { Stage } from './stage.js';
import { SumsController } from './sums.controller.js';

let steps: string[] = [];

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

/** Serves with something that is set globally, and asks. */
const globally =
  (step: string, pattern: string, set: (app: INestMicroservice) => unknown): Play =>
  async (stage) => {
    steps = [];
    const module = await stage.compile({ controllers: [SumsController] });
    const app = stage.closed(
      module.createNestMicroservice({ ...slimMicroservice(), logger: false }),
    );
    set(app);
    await app.listen();
    await outcome(stage.client().send(pattern, [1, 2]));
    expect(steps).toStrictEqual([step]);
  };

acceptance('Async bootstrap', everyNetwork, {
  'options from DI through inject and useFactory': async (stage) => {
    @Injectable()
    class Config {
      readonly slim: SlimOptions = stage.options(stage.service);
    }

    @Module({ providers: [Config], exports: [Config] })
    class ConfigModule {}

    const fromConfig: SlimModuleAsyncOptions = {
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async (config: Config) => config.slim,
    };

    @Module({ imports: [SlimModule.forRootAsync(fromConfig)], controllers: [SumsController] })
    class AppModule {}

    const app = stage.closed(
      await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
        inject: [SlimServer],
        useFactory: (strategy: SlimServer) => ({ strategy }),
        logger: false,
      }),
    );
    await app.listen();
    const answer = await outcome(stage.client().send('sum', [1, 2]));
    expect(answer).toStrictEqual({ values: [3] });
  },
});

acceptance('Global config', ourNetworks, {
  'global guard is called': globally('guard', 'sum', (app) => app.useGlobalGuards(new Guard())),
  'global filter is called': globally('filter', 'exception', (app) =>
    app.useGlobalFilters(new Filter()),
  ),
  'global interceptor is called': globally('interceptor', 'sum', (app) =>
    app.useGlobalInterceptors(new Interceptor()),
  ),
  'global pipe is called': globally('pipe', 'sum', (app) => app.useGlobalPipes(new Pipe())),
});

/** An application that keeps what it logs until it is told where to. */
function logging(stage: Stage) {
  const lines: string[] = [];
  const note = (line: unknown): void => void lines.push(String(line));
  const logger: LoggerService = { log: note, warn: note, error: note };

  @Module({
    imports: [SlimModule.forRoot(stage.options(stage.service))],
    controllers: [SumsController],
  })
  class AppModule {}

  return {
    lines,
    logger,
    AppModule,
    options: { bufferLogs: true, abortOnError: false },
  };
}

const started = 'Nest microservice successfully started';
const said = 'said by the application';

acceptance('Buffered logs', ourNetworks, {
  'flushed on init': async (stage) => {
    const { lines, logger, AppModule, options } = logging(stage);
    const app = stage.closed(
      await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
        ...slimMicroservice(),
        ...options,
      }),
    );
    app.useLogger(logger);
    new Logger('test').log(said);
    expect(lines).toStrictEqual([]);
    await app.init();
    expect(lines).toContain(said);
    await app.listen();
    expect(lines).toContain(started);
  },

  'kept with autoFlushLogs: false': async (stage) => {
    const { lines, logger, AppModule, options } = logging(stage);
    const app = stage.closed(
      await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
        ...slimMicroservice({ autoFlushLogs: false }),
        ...options,
      }),
    );
    app.useLogger(logger);
    await app.listen();
    expect(lines).toStrictEqual([]);
    app.flushLogs();
    expect(lines).toContain(started);
  },

  'flushed by a hybrid application': async (stage) => {
    const { lines, logger, AppModule, options } = logging(stage);
    const app = stage.closed(await NestFactory.create(AppModule, options));
    app.useLogger(logger);
    app.connectMicroservice(slimMicroservice());
    await app.startAllMicroservices();
    expect(lines).toContain(started);
    expect(await outcome(stage.client().send('sum', [1]))).toMatchObject({ values: [] });
    await app.init();
    expect(await outcome(stage.client().send('sum', [1]))).toStrictEqual({ values: [1] });
  },
});
