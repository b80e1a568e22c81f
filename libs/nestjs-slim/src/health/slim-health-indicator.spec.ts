import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import { sharedSecret } from '@nestjs-slim/core';
import { ManualClock } from '@nestjs-slim/core/testing';
import { SlimNode } from '@nestjs-slim/platform-node';
import { filter, firstValueFrom } from 'rxjs';
import { SlimConnection } from '../slim-connection.js';
import type { SlimStatus } from '../slim-events.js';
import type { SlimOptions } from '../slim-options.js';
import { SlimModule } from '../slim.module.js';
import { billing, Fabric } from '../testing/spec-fabric.js';
import { Signal } from '../testing/spec-outcome.js';
import { SlimHealthIndicator, type SlimHealthOptions } from './slim-health-indicator.js';

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown): unknown {
    return data;
  }
}

describe('SlimHealthIndicator', () => {
  let fabric: Fabric;
  beforeEach(async () => {
    fabric = await Fabric.start();
  });
  afterEach(() => fabric.end());

  const boot = async (options: SlimOptions): Promise<TestingModule> => {
    const module = await Test.createTestingModule({
      imports: [SlimModule.forRoot(options), TerminusModule.forRoot({ logger: false })],
      providers: [SlimHealthIndicator],
    }).compile();
    fabric.endWith(() => module.close());
    return module.init();
  };

  const setup = (extra: Partial<SlimOptions> = {}): Promise<TestingModule> =>
    boot(fabric.options('acme/front/desk', extra));

  /** What a health endpoint answers; with 503 it fails. */
  const health = async (
    module: TestingModule,
    options?: SlimHealthOptions,
  ): Promise<HealthCheckResult> => {
    const indicator = module.get(SlimHealthIndicator);
    const service = await module.resolve(HealthCheckService);
    return service.check([() => indicator.isHealthy('slim', options)]).catch((reason: unknown) => {
      return (reason as { getResponse(): HealthCheckResult }).getResponse();
    });
  };

  const whenStatus = async (module: TestingModule, wanted: SlimStatus): Promise<unknown> =>
    firstValueFrom(module.get(SlimConnection).status.pipe(filter((status) => status === wanted)));

  it('is up when connected', async () => {
    const module = await setup();
    await module.get(SlimConnection).connect();
    expect(await health(module)).toMatchObject({
      status: 'ok',
      details: { slim: { status: 'up', connection: 'connected' } },
    });
  });

  it('connects when nothing else did, with the connection that all share', async () => {
    const module = await setup();
    expect(await health(module)).toMatchObject({ status: 'ok' });
    expect(await firstValueFrom(module.get(SlimConnection).status)).toBe('connected');
  });

  it('is down when the node cannot be reached, and looks again the next time', async () => {
    const node = await SlimNode.start({ listen: { host: '127.0.0.1', port: 0 } });
    await node.close();
    const module = await setup({ node: node.url ?? '' });
    const down = { status: 'down', connection: 'disconnected', code: 'link-failed' };
    expect(await health(module)).toMatchObject({ status: 'error', details: { slim: down } });
    expect(await health(module)).toMatchObject({ status: 'error', details: { slim: down } });
  });

  it('is down when the node was lost, and says why by a code', async () => {
    const node = await SlimNode.start();
    const module = await setup({ node, backoff: { firstMs: 60_000, maxMs: 60_000 } });
    await module.get(SlimConnection).connect();
    await node.close();
    await whenStatus(module, 'reconnecting');
    expect((await health(module)).details).toMatchObject({
      slim: { status: 'down', connection: 'reconnecting', code: expect.stringMatching(/^link-/) },
    });
  });

  it('does not wait longer than it may', async () => {
    const clock = new ManualClock();
    const asked = new Signal();
    const answer = new Signal();
    const identity: SlimOptions['identity'] = async (context) => {
      asked.fire();
      await answer.fired;
      return sharedSecret({ secret: 'x'.repeat(32) })(context);
    };
    const module = await setup({ clock, identity });
    const checked = health(module, { timeoutMs: 700 });
    await asked.fired;
    clock.advance(700);
    expect((await checked).details).toMatchObject({
      slim: { status: 'down', connection: 'disconnected', code: 'timeout' },
    });
    expect(clock.pending).toBe(0);
    answer.fire();
  });

  it('does not connect again when the application is closed', async () => {
    const module = await setup();
    expect(await health(module)).toMatchObject({ status: 'ok' });
    await module.close();
    expect((await health(module)).details).toMatchObject({
      slim: { status: 'down', connection: 'disconnected', code: 'link-closed' },
    });
  });

  it('is up when somebody answers to the name', async () => {
    await fabric.serve({ controllers: [EchoController] });
    const module = await setup();
    const { details } = await health(module, { reachable: billing });
    expect(details).toMatchObject({
      slim: { status: 'up', instance: expect.stringMatching(`^${billing}/`) },
    });
  });

  it('is down when nobody does', async () => {
    const module = await setup();
    const options = { reachable: billing, timeoutMs: 200 };
    expect((await health(module, options)).details).toMatchObject({
      slim: { status: 'down', connection: 'connected', reachable: billing, code: 'no-route' },
    });
  });

  it.each([
    [{ reachable: 'invoices' }, 'invalid-name'],
    [{ timeoutMs: -1 }, 'invalid-config'],
  ])('does not take %j for bad health', async (options, code) => {
    const module = await setup();
    const indicator = module.get(SlimHealthIndicator);
    await expect(indicator.isHealthy('slim', options)).rejects.toMatchObject({ code });
  });
});
