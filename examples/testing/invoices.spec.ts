// A Nest application under test, on a SLIM network that exists in the test's process only.
// npm run example -- testing
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SlimModule, SlimRecordBuilder, slimMicroservice, type SlimClient } from 'nestjs-slim';
import { SlimFabric } from 'nestjs-slim/testing';

@Injectable()
class Rates {
  of(country: string): number {
    return { DE: 19, FR: 20 }[country] ?? 0;
  }
}

@Controller()
class InvoicesController {
  constructor(private readonly rates: Rates) {}

  @MessagePattern('tax')
  tax(@Payload() { country, cents }: { country: string; cents: number }): number {
    return (cents * this.rates.of(country)) / 100;
  }

  @MessagePattern('stuck')
  stuck(): Promise<never> {
    return new Promise(() => undefined);
  }
}

const name = 'acme/billing/invoices';

describe('the invoices service', () => {
  let fabric: SlimFabric;
  let client: SlimClient;

  beforeEach(async () => {
    fabric = await SlimFabric.start({ clock: 'manual' });
    const testing = Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(name, { drainMs: 0 }))],
      controllers: [InvoicesController],
      providers: [Rates],
    }).overrideProvider(Rates);
    const module = await testing.useValue({ of: () => 50 }).compile();
    const app = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.closing(() => app.close());
    await app.listen();
    client = fabric.client(name);
  });
  // Fails when somebody left a timer behind.
  afterEach(() => fabric.until(fabric.close()));

  it('computes taxes', async () => {
    expect(await client.request('tax', { country: 'DE', cents: 400 })).toBe(200);
  });

  it('is given up when the time is over, which takes less time than that', async () => {
    const startedMs = fabric.clock.now();
    const question = new SlimRecordBuilder({}).setTimeoutMs(2_000).build();
    const answer = fabric.until(client.request('stuck', question));
    await expect(answer).rejects.toMatchObject({ code: 'timeout' });
    expect(fabric.clock.now() - startedMs).toBe(2_000);
  });

  it('answers though frames are lost, late and doubled', async () => {
    await client.request('tax', { country: 'DE', cents: 0 }); // opens the session
    fabric.begin({ drop: 0.2, duplicate: 0.2, delay: 0.5, maxDelayMs: 50 });
    const answer = client.request('tax', { country: 'DE', cents: 400 });
    expect(await fabric.until(answer)).toBe(200);
  });
});
