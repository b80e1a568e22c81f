import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { ManualClock } from '@nestjs-slim/core/testing';
import { firstValueFrom } from 'rxjs';
import { SlimClient } from '../slim-client.js';
import { slimMicroservice } from '../slim-microservice.js';
import { SlimModule } from '../slim.module.js';
import { SlimFabric, type SlimFabricOptions } from './slim-fabric.js';
import { Signal } from './spec-outcome.js';

const invoices = 'acme/billing/invoices';
let asked = new Signal();
let heard: unknown[] = [];

@Controller()
class Invoices {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return numbers.reduce((a, b) => a + b, 0);
  }

  @MessagePattern('never')
  never(): Promise<never> {
    asked.fire();
    return new Promise(() => undefined);
  }

  @EventPattern<string>('told')
  told(data: unknown): void {
    heard.push(data);
  }
}

describe('SlimFabric', () => {
  let fabric: SlimFabric;
  afterEach(() => fabric.close());

  const setup = async (options: SlimFabricOptions = {}) => {
    asked = new Signal();
    heard = [];
    fabric = await SlimFabric.start(options);
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(fabric.options(invoices))],
      controllers: [Invoices],
    }).compile();
    const service = module.createNestMicroservice({ ...slimMicroservice(), logger: false });
    fabric.closing(() => service.close());
    await service.listen();
    return service;
  };

  it('connects a service and a client', async () => {
    await setup();
    const sum = await firstValueFrom(fabric.client(invoices).send('sum', [1, 2, 3]));
    expect(sum).toBe(6);
    expect(fabric.counters.connections).toBe(2);
  });

  it('connects the client of another module', async () => {
    await setup();
    const module = await Test.createTestingModule({
      imports: [
        SlimModule.forRoot(fabric.options('acme/front/desk')),
        SlimModule.forFeature([{ name: 'BILLING', target: invoices }]),
      ],
    }).compile();
    fabric.closing(() => module.close());
    expect(await module.get<SlimClient>('BILLING').request('sum', [4, 5])).toBe(9);
  });

  it('connects applications that know nothing of Nest', async () => {
    await setup();
    const app = await fabric.app('acme/tests/peer');
    const session = await app.openSession(invoices, { mls: false });
    const answer = await session.request(Buffer.from('?'));
    expect(answer.metadata).toStrictEqual({ 'slim-error': 'true' });
  });

  it('has time stand still until the test moves it', async () => {
    await setup({ clock: 'manual' });
    const client = fabric.client(invoices, { requestTimeoutMs: 700 });
    let failure: unknown;
    const answer = client.request('never', {}).catch((reason: unknown) => (failure = reason));
    await asked.fired;
    await fabric.advance(699);
    expect(failure).toBeUndefined();
    await fabric.advance(1);
    expect(failure).toMatchObject({ code: 'timeout' });
    await answer;
  });

  it('lets time pass until something is done', async () => {
    await setup({ clock: 'manual' });
    const beganMs = fabric.clock.now();
    const answer = fabric.client(invoices, { requestTimeoutMs: 5_000 }).request('never', {});
    await expect(fabric.until(answer)).rejects.toMatchObject({ code: 'timeout' });
    expect(fabric.clock.now() - beganMs).toBeGreaterThanOrEqual(5_000);
    const never = fabric.client('acme/tests/absent', { discoveryMs: Infinity }).connect();
    expect(await fabric.until(never)).toBeDefined();
    await expect(fabric.until(new Promise(() => undefined), 50)).rejects.toMatchObject({
      code: 'timeout',
      message: 'not done within 50 ms',
    });
  });

  it('answers in reliable sessions, whatever is lost on the way', async () => {
    await setup({ clock: 'manual', seed: 7 });
    const client = fabric.client(invoices, { requestTimeoutMs: Infinity });
    await client.request('sum', []);
    fabric.begin({ drop: 0.2, duplicate: 0.2, delay: 0.2, maxDelayMs: 300 });
    for (let n = 0; n < 10; n += 1) {
      expect(await fabric.until(client.request('sum', [n, 1]))).toBe(n + 1);
    }
  });

  it('closes though the last frames were lost', async () => {
    await setup({ clock: 'manual' });
    const client = fabric.client(invoices);
    await client.request('sum', []);
    fabric.begin({ drop: 1 });
    const lost = client.request('sum', [1]).catch((reason: unknown) => reason);
    await fabric.advance(10);
    await fabric.close();
    expect(await lost).toMatchObject({ name: 'SlimError' });
  });

  it('loses the same frames for the same seed', async () => {
    const arrivals = async (seed: number): Promise<readonly unknown[]> => {
      await setup({ seed });
      const client = fabric.client(invoices, { mls: false, reliable: false });
      await client.request('sum', []);
      fabric.begin({ drop: 0.5 });
      for (let n = 0; n < 40; n += 1) await firstValueFrom(client.emit('told', n));
      fabric.heal();
      await client.request('sum', []);
      await fabric.close();
      return heard;
    };
    const seven = await arrivals(7);
    expect(seven.length).toBeGreaterThan(0);
    expect(seven.length).toBeLessThan(40);
    expect(await arrivals(7)).toStrictEqual(seven);
    expect(await arrivals(8)).not.toStrictEqual(seven);
  });

  it('cuts links, and everybody is back', async () => {
    const service = await setup();
    const client = fabric.client(invoices);
    await client.connect();
    const serviceIsBack = new Signal();
    const clientIsBack = new Signal();
    service.on('status', (status: string) => status === 'connected' && serviceIsBack.fire());
    client.on('status', (status) => status === 'connected' && clientIsBack.fire());
    fabric.cut();
    await Promise.all([serviceIsBack.fired, clientIsBack.fired]);
    expect(await client.request('sum', [1, 1])).toBe(2);
  });

  it('cuts one application only', async () => {
    const service = await setup();
    const changes: unknown[] = [];
    service.on('status', (status: string) => changes.push(status));
    const client = fabric.client(invoices, { name: 'acme/front/desk' });
    await client.connect();
    const lost = new Signal<unknown>();
    client.on('status', (_, reason) => reason && lost.fire(reason));
    fabric.cut('acme/front/desk');
    expect(await lost.fired).toMatchObject({ code: 'link-failed', message: 'cut by the test' });
    expect(await client.request('sum', [2, 2])).toBe(4);
    expect(changes).toStrictEqual([]);
  });

  it('can be away for a while', async () => {
    await setup();
    fabric.goDown();
    const client = fabric.client(invoices);
    await expect(client.request('sum', [])).rejects.toMatchObject({ code: 'link-failed' });
    fabric.goUp();
    expect(await client.request('sum', [3, 3])).toBe(6);
  });

  it('has timers that were forgotten fail the test', async () => {
    await setup({ clock: 'manual' });
    const cancel = fabric.clock.schedule(5_000, () => undefined);
    await expect(fabric.close()).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'timers left behind: 1',
    });
    cancel();
  });

  it('takes a clock of the test, and moves no other', async () => {
    await setup({ clock: new ManualClock(Date.now()) });
    await fabric.advance(1);
    await fabric.close();
    fabric = await SlimFabric.start();
    await expect(fabric.advance(1)).rejects.toMatchObject({ code: 'invalid-config' });
    await expect(fabric.until(Promise.resolve())).rejects.toMatchObject({ code: 'invalid-config' });
  });

  it('keeps networks apart', async () => {
    await setup();
    const other = await SlimFabric.start();
    const absent = other.client(invoices, { discoveryMs: 1 });
    await expect(absent.request('sum', [])).rejects.toMatchObject({ code: 'no-route' });
    await other.close();
  });
});
