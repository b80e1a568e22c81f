import { beforeAll, expect } from '@jest/globals';
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import {
  ContextIdFactory,
  REQUEST,
  type ContextId,
  type ContextIdResolver,
  type ContextIdStrategy,
} from '@nestjs/core';
import { CONTEXT, MessagePattern, type RequestContext } from '@nestjs/microservices';
import { SlimContext, SlimRecordBuilder, type SlimClient } from 'nestjs-slim';
import { firstValueFrom } from 'rxjs';
import { acceptance } from './acceptance.js';
import { ourNetworks } from './networks.js';
import type { Stage } from './stage.js';

type Request = RequestContext<unknown, SlimContext>;

let made: string[] = [];

@Injectable()
class Static {
  constructor() {
    made.push('static');
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class PerDependency {
  constructor() {
    made.push('per dependency');
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerMessage {
  constructor(readonly own: PerDependency) {
    made.push('per message');
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class PerTenant {
  constructor(@Inject(REQUEST) readonly tenant: { readonly tenantId: string }) {
    made.push(`for ${tenant.tenantId}`);
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  constructor(
    readonly once: Static,
    readonly one: PerMessage,
    readonly same: PerMessage,
    readonly own: PerDependency,
  ) {
    made.push('controller');
  }

  @MessagePattern('scoped')
  scoped(): boolean {
    return this.one === this.same && this.own !== this.one.own;
  }
}

@Controller()
class DurableController {
  constructor(private readonly provider: PerTenant) {
    made.push('durable controller');
  }

  @MessagePattern('durable')
  durable(): string {
    return this.provider.tenant.tenantId;
  }
}

const told = (request: Request): unknown => ({
  pattern: request.getPattern(),
  data: request.getData(),
  operation: request.getContext().getOperation(),
});

@Controller({ scope: Scope.REQUEST })
class RequestController {
  constructor(
    @Inject(REQUEST) private readonly request: Request,
    @Inject(CONTEXT) private readonly context: Request,
  ) {}

  @MessagePattern('request')
  byRequest(): unknown {
    return told(this.request);
  }

  @MessagePattern('context')
  byContext(): unknown {
    return told(this.context);
  }
}

/** One tree of durable providers for each tenant that the metadata of a message names. */
class TenantStrategy implements ContextIdStrategy<Request> {
  private readonly tenants = new Map<string, ContextId>();

  attach(contextId: ContextId, request: Request): ContextIdResolver {
    const tenantId = String(request.getContext().getMetadata()['tenant']);
    const tenant = this.tenants.get(tenantId) ?? ContextIdFactory.create();
    this.tenants.set(tenantId, tenant);
    return {
      resolve: ({ isTreeDurable }) => (isTreeDurable ? tenant : contextId),
      payload: { tenantId },
    };
  }
}

async function setup(stage: Stage, controller: new (...args: never[]) => object) {
  made = [];
  await stage.serve({
    controllers: [controller],
    providers: [Static, PerMessage, PerDependency, PerTenant],
  });
  return stage.client();
}

/** Two messages, and what was made for them. */
async function twoMessages(client: SlimClient): Promise<readonly string[]> {
  for (const n of [1, 2]) expect(await firstValueFrom(client.send('scoped', n))).toBe(true);
  return made;
}

const count = (list: readonly string[], wanted: string): number =>
  list.filter((line) => line === wanted).length;

beforeAll(() => ContextIdFactory.apply(new TenantStrategy()));

acceptance('Scopes', ourNetworks, {
  'new instance for each message': async (stage) => {
    const list = await twoMessages(await setup(stage, ScopedController));
    expect(count(list, 'per message')).toBe(2);
    expect(count(list, 'controller')).toBe(2);
  },

  'one instance for each controller dependency': async (stage) => {
    const list = await twoMessages(await setup(stage, ScopedController));
    expect(count(list, 'per dependency')).toBe(4);
  },

  'static providers once': async (stage) => {
    const list = await twoMessages(await setup(stage, ScopedController));
    expect(count(list, 'static')).toBe(1);
  },

  'durable providers once for each tenant': async (stage) => {
    const client = await setup(stage, DurableController);
    const tenants = [];
    for (const tenant of ['a', 'b', 'a', 'b', 'a']) {
      const record = new SlimRecordBuilder({}).setMetadata({ tenant }).build();
      tenants.push(await firstValueFrom(client.send('durable', record)));
    }
    expect(tenants).toStrictEqual(['a', 'b', 'a', 'b', 'a']);
    expect([count(made, 'for a'), count(made, 'for b')]).toStrictEqual([1, 1]);
    expect(count(made, 'durable controller')).toBe(2);
  },

  'REQUEST gives pattern, data and context': async (stage) => {
    const client = await setup(stage, RequestController);
    expect(await firstValueFrom(client.send('request', { id: 7 }))).toStrictEqual({
      pattern: 'request',
      data: { id: 7 },
      operation: 'request',
    });
  },

  'CONTEXT gives pattern, data and context': async (stage) => {
    const client = await setup(stage, RequestController);
    expect(await firstValueFrom(client.send('context', { id: 7 }))).toStrictEqual({
      pattern: 'context',
      data: { id: 7 },
      operation: 'context',
    });
  },
});
