import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { firstValueFrom, from, lastValueFrom, of, toArray, type Observable } from 'rxjs';
import { billing, Fabric } from './testing/spec-fabric.js';

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

@Controller()
class MathController {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('asyncSum')
  async asyncSum(numbers: number[]): Promise<number> {
    return sum(numbers);
  }

  @MessagePattern('streamSum')
  streamSum(numbers: number[]): Observable<number> {
    return of(sum(numbers));
  }

  @MessagePattern(billing)
  default(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('acme/billing/other#sum')
  other(numbers: number[]): number {
    return sum(numbers);
  }

  @MessagePattern('streaming')
  streaming(numbers: number[]): Observable<number> {
    return from(numbers);
  }
}

describe('a request', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
    await fabric.serve({ controllers: [MathController] });
  });
  afterEach(() => fabric.end());

  it.each(['sum', 'asyncSum', 'streamSum', `${billing}#sum`, billing, 'acme/billing/other#sum'])(
    'to "%s" is answered',
    async (pattern) => {
      const client = fabric.client();
      expect(await firstValueFrom(client.send(pattern, [1, 2, 3, 4, 5]))).toBe(15);
    },
  );

  it('streams', async () => {
    const client = fabric.client();
    const all = lastValueFrom(client.send<number>('streaming', [1, 2, 3]).pipe(toArray()));
    expect(await all).toStrictEqual([1, 2, 3]);
  });
});
