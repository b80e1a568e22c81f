import { expect } from '@jest/globals';
import { Controller, Get, RequestTimeoutException } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { SlimClientOptions } from 'nestjs-slim';
import { catchError, throwError, type Observable } from 'rxjs';
import { acceptance } from './acceptance.js';
import { everyNetwork } from './networks.js';
import type { Stage } from './stage.js';

/** The status of an HTTP endpoint that asks a service which does not answer. */
async function statusOf(stage: Stage, options: Partial<SlimClientOptions>): Promise<number> {
  const client = stage.client(options);

  @Controller()
  class Gateway {
    @Get()
    ask(): Observable<unknown> {
      return client
        .send('sum', [1, 2])
        .pipe(catchError((cause) => throwError(() => new RequestTimeoutException({ cause }))));
    }
  }

  const module = await Test.createTestingModule({ controllers: [Gateway] }).compile();
  const app = stage.closed(module.createNestApplication({ logger: false }));
  await app.listen(0, '127.0.0.1');
  const { status } = await fetch(await app.getUrl(), { headers: { connection: 'close' } });
  return status;
}

acceptance('Disconnected client', everyNetwork, {
  'request to an absent peer is mapped to 408': async (stage) => {
    expect(await statusOf(stage, { discoveryMs: 20 })).toBe(408);
  },

  'request without a node is mapped to 408': async (stage) => {
    const wire = stage.wire();
    wire.beforeDial = () => Promise.reject(new Error('no such host'));
    expect(await statusOf(stage, { node: wire })).toBe(408);
  },
});
