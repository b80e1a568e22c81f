import { Controller, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { SlimContext, type ItemStream } from 'nestjs-slim';
import { from, map, of, throwError, type Observable } from 'rxjs';

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

class RefusalFilter implements RpcExceptionFilter {
  catch(): Observable<never> {
    return throwError(() => ({ refused: true }));
  }
}

/** What the tests of Nest's own transports ask for. */
@Controller()
export class SumsController {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('async')
  async async(numbers: number[]): Promise<number> {
    return sum(numbers);
  }

  @MessagePattern('observable')
  observable(numbers: number[]): Observable<number> {
    return of(sum(numbers));
  }

  @MessagePattern('streaming')
  streaming(numbers: number[]): Observable<number> {
    return from(numbers);
  }

  @MessagePattern('exception')
  exception(): never {
    throw new RpcException({ code: 'NOT_FOUND', id: 7 });
  }

  @UseFilters(RefusalFilter)
  @MessagePattern('filtered')
  filtered(): never {
    throw new Error('not for the caller');
  }

  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }

  @MessagePattern('headers')
  headers(@Payload() _: unknown, @Ctx() context: SlimContext): unknown {
    return context.getMetadata();
  }

  @MessagePattern('headers-duplex')
  duplex(@Payload() items: ItemStream<string>, @Ctx() context: SlimContext): Observable<string> {
    return items.pipe(map((item) => `${context.getMetadata()['tenant']}: ${item}`));
  }
}
