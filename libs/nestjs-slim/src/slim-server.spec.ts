import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Scope, type Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { ManualClock } from '@nestjs-slim/core/testing';
import { firstValueFrom } from 'rxjs';
import type { SlimContext } from './slim-context.js';
import { SLIM_TRANSPORT, SlimServer } from './slim-server.js';
import { billing, Fabric } from './testing/spec-fabric.js';
import { outcome, Signal } from './testing/spec-outcome.js';

/** Controllers that must not boot, and the patterns that the error names. */
const refused: readonly [string, () => Type, readonly string[]][] = [
  ['a bad name', () => withMessage('acme//invoices'), ['acme//invoices']],
  ['a bad operation', () => withMessage('acme/billing/invoices#'), ['acme/billing/invoices#']],
  ['an object', () => withMessage({ cmd: 'sum' }), ['{"cmd":"sum"}']],
  [
    'an instance id',
    () => withMessage('acme/a/b/00000000-0000-0000-0000-000000000001'),
    ['acme/a/b/00000000-0000-0000-0000-000000000001'],
  ],
  ['two message handlers', () => withBoth('create', `${billing}#create`), ['create', billing]],
  ['a message and an event handler', () => withEvent('create'), ['message handler', 'event']],
];

function withMessage(pattern: unknown): Type {
  @Controller()
  class Refused {
    @MessagePattern(pattern)
    handle(): void {}
  }
  return Refused;
}

function withBoth(first: string, second: string): Type {
  @Controller()
  class Refused {
    @MessagePattern(first)
    one(): void {}

    @MessagePattern(second)
    two(): void {}
  }
  return Refused;
}

function withEvent(pattern: string): Type {
  @Controller()
  class Refused {
    @EventPattern<string>(pattern)
    one(): void {}

    @MessagePattern(pattern)
    two(): void {}
  }
  return Refused;
}

let started = new Signal<AbortSignal>();
let finish = new Signal();
const handled: unknown[] = [];

@Controller({ scope: Scope.DEFAULT })
class SlowController {
  @MessagePattern('slow')
  async slow(@Payload() data: unknown, @Ctx() context: SlimContext): Promise<string> {
    handled.push(data);
    started.fire(context.getSignal());
    await finish.fired;
    return 'done';
  }

  @EventPattern<string>('told')
  async told(data: unknown): Promise<void> {
    handled.push(data);
  }

  @MessagePattern('elsewhere', Transport.TCP)
  elsewhere(): string {
    return 'only over TCP';
  }

  @MessagePattern('here', SLIM_TRANSPORT)
  here(): string {
    return 'only over SLIM';
  }
}

describe('a server', () => {
  let clock: ManualClock;
  let fabric: Fabric;
  beforeEach(async () => {
    started = new Signal();
    finish = new Signal();
    handled.length = 0;
    // The MLS library compares lifetimes with the clock of the machine.
    clock = new ManualClock(Date.now());
    fabric = await Fabric.start(clock);
  });
  afterEach(() => fabric.end());

  it.each(refused)('does not boot with %s in a pattern', async (_, controller, named) => {
    const boot = fabric.serve({ controllers: [controller()] });
    const failure = await boot.catch((reason: unknown) => reason);
    expect(failure).toMatchObject({
      name: 'SlimError',
      code: expect.stringMatching(/^invalid-(name|config)$/),
    });
    for (const text of named) expect(String(failure)).toContain(text);
  });

  it('has the handlers that are for SLIM or for any transport', async () => {
    const server = new SlimServer(fabric.options(billing));
    fabric.endWith(() => server.close());
    await fabric.serve({ controllers: [SlowController] });
    const client = fabric.client();
    expect(await outcome(client.send('here', {}))).toStrictEqual({ values: ['only over SLIM'] });
    const { failed } = await outcome(client.send('elsewhere', {}));
    expect(failed?.with).toMatchObject({ code: 'no-handler' });
  });

  it('lets handlers finish and delivers their replies, refuses requests and handles the events it acknowledges, once it is closing', async () => {
    const service = await fabric.serve({ controllers: [SlowController] });
    const client = fabric.client();
    const answer = outcome(client.send('slow', 'before'));
    await started.fired;
    const closed = Promise.all([service.close(), service.close()]);
    expect(await outcome(client.emit('told', 'while closing'))).toStrictEqual({
      values: [undefined],
    });
    expect((await outcome(client.send('slow', 'too late'))).failed?.with).toMatchObject({
      message: 'the service is closing',
      code: 'session-closed',
      retryable: true,
    });
    finish.fire();
    expect(await answer).toStrictEqual({ values: ['done'] });
    await closed;
    expect(handled).toStrictEqual(['before', 'while closing']);
  });

  it('aborts the handlers that are not done when the time for that is over', async () => {
    const service = await fabric.serve({ controllers: [SlowController] }, { drainMs: 500 });
    const answer = outcome(fabric.client().send('slow', {}));
    const signal = await started.fired;
    const closed = service.close();
    clock.advance(499);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    await closed;
    expect(String(signal.reason)).toBe('SlimError: the service is closed');
    expect((await answer).failed?.with).toMatchObject({ code: 'session-closed' });
  });

  it('reports through the callback, once, and can listen again', async () => {
    fabric.network.goDown();
    const server = new SlimServer(fabric.options(billing));
    fabric.endWith(() => server.close());
    const calls: unknown[][] = [];
    const callback = (...args: unknown[]): void => void calls.push(args);
    await server.listen(callback);
    fabric.network.goUp();
    await server.listen(callback);
    await server.listen(callback);
    expect(calls).toStrictEqual([
      [expect.objectContaining({ code: 'link-failed' })],
      [],
      [expect.objectContaining({ code: 'invalid-config' })],
    ]);
  });

  it('closed while it starts, says so', async () => {
    const server = new SlimServer(fabric.options(billing));
    const callback = jest.fn();
    const listening = server.listen(callback);
    await server.close();
    await listening;
    expect(callback.mock.calls).toStrictEqual([[expect.objectContaining({ code: 'aborted' })]]);
  });

  it('has status, listeners from before it listens, and the application object', async () => {
    const server = new SlimServer(fabric.options(billing));
    const onStatus = jest.fn();
    server.on('status', onStatus);
    expect(await firstValueFrom(server.status)).toBe('disconnected');
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'link-closed' }));
    await server.listen(() => undefined);
    expect(server.unwrap<{ status: string }>().status).toBe('connected');
    expect(server.transportId).toBe(Symbol.for('slim'));
    await server.close();
    expect(onStatus.mock.calls.map(([status]) => status)).toStrictEqual([
      'connected',
      'disconnected',
    ]);
  });

  it('runs the hooks of observability tools around requests and events', async () => {
    const hooks: unknown[] = [];
    const server = new SlimServer(fabric.options(billing));
    fabric.endWith(() => server.close());
    server.addHandler('ask', async () => hooks.push('asked'));
    const told = new Signal();
    server.addHandler('tell', async () => hooks.push('told'), true);
    const patternOf = (context: unknown) => (context as SlimContext).getPattern();
    server.setOnProcessingStartHook((_, context, done) => {
      hooks.push(['start', patternOf(context)]);
      void done();
    });
    server.setOnProcessingEndHook((_, context) => {
      hooks.push(['end', patternOf(context)]);
      if (patternOf(context).endsWith('tell')) told.fire();
    });
    await server.listen(() => undefined);
    const client = fabric.client();
    await outcome(client.send('ask', {}));
    await outcome(client.emit('tell', {}));
    await told.fired;
    expect(hooks).toStrictEqual([
      ['start', `${billing}#ask`],
      'asked',
      ['end', `${billing}#ask`],
      ['start', `${billing}#tell`],
      'told',
      ['end', `${billing}#tell`],
    ]);
  });
});
