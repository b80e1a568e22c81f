import { expect } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { systemClock, type Clock } from '@nestjs-slim/core';
import { slimMicroservice } from 'nestjs-slim';
import { Log } from '../../libs/nestjs-slim/src/testing/spec-log.js';
import { outcome, Signal } from '../../libs/nestjs-slim/src/testing/spec-outcome.js';
import { acceptance } from './acceptance.js';
import { ourNetworks } from './networks.js';

const log = new Log();
let finish = new Signal();

@Controller()
class SlowController {
  @MessagePattern('slow')
  async slow(): Promise<string> {
    log.add('asked');
    await finish.fired;
    return 'done';
  }

  @EventPattern<string>('told')
  told(data: unknown): void {
    log.add(`told ${String(data)}`);
  }
}

/** The machine's clock, with a list of who still waits for it. */
class WatchedClock implements Clock {
  readonly waiting = new Set<() => void>();

  now(): number {
    return systemClock.now();
  }

  schedule(delayMs: number, task: () => void): () => void {
    const cancel = systemClock.schedule(delayMs, () => {
      this.waiting.delete(cancel);
      task();
    });
    this.waiting.add(cancel);
    return () => {
      this.waiting.delete(cancel);
      cancel();
    };
  }
}

const slow = { controllers: [SlowController] };

acceptance('Shutdown', ourNetworks, {
  'no connection is left when close() resolves': async (stage) => {
    const wire = stage.wire();
    const service = await stage.serve(slow, { node: wire });
    const client = stage.client({ node: wire });
    await outcome(client.emit('told', 1));
    expect(wire.open).toBe(2);
    await service.close();
    expect(wire.open).toBe(1);
    await client.close();
    expect(wire).toMatchObject({ open: 0, dials: 2 });
  },

  'no handler runs for messages that arrive later': async (stage) => {
    log.clear();
    finish = new Signal();
    const service = await stage.serve(slow);
    const client = stage.client();
    const answer = outcome(client.send('slow', {}));
    await log.has('asked');
    const closed = service.close();
    await outcome(client.emit('told', 'while closing'));
    await outcome(client.send('slow', {}));
    finish.fire();
    await Promise.all([answer, closed]);
    await outcome(client.emit('told', 'when closed'));
    // Its sender was told that it arrived, so it is handled; a request is refused.
    expect(log.lines).toStrictEqual(['asked', 'told while closing']);
  },

  'nothing is tracked any more': async (stage) => {
    log.clear();
    finish = new Signal();
    const clock = new WatchedClock();
    const service = await stage.serve(slow, { clock });
    const answer = outcome(stage.client().send('slow', {}));
    await log.has('asked');
    expect(clock.waiting.size).toBeGreaterThan(0);
    finish.fire();
    await answer;
    await service.close();
    expect(clock.waiting.size).toBe(0);
  },

  'signal listeners of a connected microservice are removed': async (stage) => {
    const before = process.listenerCount('SIGTERM');
    const module = await stage.compile(slow);
    const app = stage.closed(module.createNestApplication({ logger: false }));
    app.enableShutdownHooks(['SIGTERM']);
    const service = app.connectMicroservice(slimMicroservice());
    service.enableShutdownHooks(['SIGTERM']);
    await app.startAllMicroservices();
    await app.init();
    expect(process.listenerCount('SIGTERM')).toBeGreaterThan(before);
    await app.close();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  },

  'a request under way finishes and its last reply is delivered': async (stage) => {
    log.clear();
    finish = new Signal();
    const service = await stage.serve(slow);
    const answer = outcome(stage.client().send('slow', {}));
    await log.has('asked');
    const closed = service.close();
    finish.fire();
    expect(await answer).toStrictEqual({ values: ['done'] });
    await closed;
  },
});
